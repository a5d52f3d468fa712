-- Serve the calls.

local answers = { pack(life.name), pack(life.since), pack(STORE_NOW) }
for i = 2, #ARGV do
  local given = unpack_one(ARGV[i])
  answers[#answers + 1] = calls[given[1]](given)
end
topics.save(rates.forget)
notices.publish(topics.leave)
numbers.save()
return array(answers)
