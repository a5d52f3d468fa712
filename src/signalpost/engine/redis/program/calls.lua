-- What a node may call, by the name in front; each function is given the call, and returns its packed answer.

local function all_tags()
  return call('SMEMBERS', 'sp:tags')
end

-- Asks: {kind, tag, key or topic, ...}.

local asks = {}

function asks.record(ask)
  local found = records.find(ask[2], ask[3])
  return found and '\146' .. bytes(found[4]) .. pack(found[1]) or NIL
end

-- A page of names of one kind: {names, where the next page begins}; 3 cursor, 4 how many keys to look at.
local function page(kind, prefix, cursor, limit, is_there)
  local wanted = 'sp:{*}:' .. kind .. ':' .. string.gsub(prefix, '[%*%?%[%]%\\]', '\\%0') .. '*'
  local found = call('SCAN', cursor == '' and '0' or cursor, 'MATCH', wanted, 'COUNT', limit)
  local names = {}
  for _, key in ipairs(found[2]) do
    local tag, name = string.match(key, '^sp:{([^}]*)}:' .. kind .. ':(.*)$')
    if tag and is_there(tag, name) then
      names[#names + 1] = name
    end
  end
  return '\146' .. pack(names, found[1] == '0' and '' or found[1])
end

function asks.keys(ask) -- 2 prefix
  return page('r', ask[2], ask[3], ask[4], records.find)
end

function asks.topics(ask) -- 2 prefix
  return page('c', ask[2], ask[3], ask[4], function(tag, name)
    return topics.find(tag, name).there
  end)
end

function asks.receipt(ask)
  return changes.receipt(ask[2], ask[3], ask[4])
end

function asks.since()
  return pack(life.since)
end

function asks.topic(ask)
  return topics.show(topics.find(ask[2], ask[3]), ask[4])
end

function asks.place(ask)
  local tag = topics.tag_of(topics.find(ask[2], ask[3]), ask[4])
  return tag and pack(tag) or NIL
end

function asks.past(ask) -- 4 after, 5 events, 6 bytes, 7 member
  local topic = topics.find(ask[2], ask[3])
  if not topic.there then
    return NIL
  end
  local after = ask[4]
  if ask[7] ~= '' then
    after = math.max(after, topics.joined(topic, ask[7]))
  end
  return history.page(topic, after, ask[5], ask[6])
end

function asks.behind(ask) -- 4 upto or false, 5 bytes, 6 time or false
  local topic = topics.find(ask[2], ask[3])
  return pack(topic.there and history.behind(topic, ask[4], ask[5], ask[6]) or 0)
end

-- Steps: {kind, tag, key or topic, ...}. `refusals` says why one may not be done, by what was there before the
-- commit: "conflict", or "rate", its name, what it allows and how long to wait.

local refusals, acts = {}, {}

function refusals.put(step) -- 4 value, 5 expected revision or false, 6 seconds or false, 7 node
  return step[5] and not records.is(step[2], step[3], step[5]) and 'conflict' or nil
end

function acts.put(step)
  return pack(records.put(step[2], step[3], step[4], step[6], step[7]))
end

function refusals.delete(step) -- 4 expected revision or false
  return step[4] and not records.is(step[2], step[3], step[4]) and 'conflict' or nil
end

function acts.delete(step)
  return records.delete(step[2], step[3]) and TRUE or FALSE
end

function refusals.expect(step) -- 4 revision
  return not records.is(step[2], step[3], step[4]) and 'conflict' or nil
end

function refusals.absent(step)
  return topics.find(step[2], step[3]).there and 'conflict' or nil
end

function refusals.spend(step) -- 4 rate, 5 burst
  local wait = buckets.wait(step[2], step[3], step[4], step[5])
  if wait then
    return 'rate', step[3], step[5], wait
  end
  return nil
end

function acts.spend(step)
  buckets.spend(step[2], step[3], step[4])
  return NIL
end

function acts.arm(step) -- 4 time
  timers.arm(step[2], step[3], step[4])
  return NIL
end

function acts.cancel(step)
  timers.cancel(step[2], step[3])
  return NIL
end

refusals.change = changes.refused
acts.change = changes.make

function acts.drop(step) -- 4 only if empty
  return changes.drop(step[2], step[3], step[4]) and TRUE or FALSE
end

-- The calls themselves.

local calls = {}

function calls.load(given) -- 2.. asks; returns their answers
  local answers = {}
  for i = 2, #given do
    answers[i - 1] = asks[given[i][1]](given[i])
  end
  return array(answers)
end

function calls.commit(given) -- 2.. steps; returns {true, results...} or {false, which, refusal...}
  for i = 2, #given do
    local refused = refusals[given[i][1]]
    if refused then
      local why, name, limit, wait = refused(given[i])
      if why then
        return '\150' .. FALSE .. pack(i - 2, why, name or '', limit or 0, wait or 0)
      end
    end
  end
  changes.news = false
  local results = { TRUE }
  for i = 2, #given do
    local act = acts[given[i][1]]
    results[i] = act and act(given[i]) or NIL
  end
  return array(results)
end

function calls.due(given) -- 2 limit, 3 seconds of the lease; returns {key, time, turn}...
  return timers.due(all_tags(), given[2], given[3])
end

function calls.done(given) -- 2.. {tag, key, turn}
  for i = 2, #given do
    timers.done(unpack(given[i]))
  end
  return NIL
end

function calls.next() -- returns when the first timer is due, or nil
  local at = timers.next(all_tags())
  return at and pack(at) or NIL
end

function calls.beat()
  nodes.beat(ME)
  return NIL
end

function calls.silent(given) -- 2 seconds; returns {node, seconds, ...}
  return pack(nodes.silent(given[2]))
end

function calls.forget(given) -- 2 node
  nodes.forget(given[2])
  return NIL
end

function calls.owned(given) -- 2 node; returns the keys of its records
  local keys = {}
  for _, tag in ipairs(all_tags()) do
    for _, key in ipairs(records.owned(tag, given[2])) do
      keys[#keys + 1] = key
    end
  end
  return pack(keys)
end

function calls.send(given) -- 2 node, 3 note
  notices.add(given[2], '\145' .. bytes(given[3]))
  return NIL
end

function calls.tell(given) -- 2 tag, 3 key of a record, 4 note
  local found = records.find(given[2], given[3])
  if found and found[3] ~= '' then
    notices.add(found[3], '\145' .. bytes(given[4]))
  end
  return NIL
end

function calls.follow(given) -- 2 tag, 3 topic; returns {epoch, latest offset}, or nil if there is no such topic
  local topic = topics.find(given[2], given[3])
  topics.follow(topic)
  return topic.there and '\146' .. pack(topic.epoch, topic.head) or NIL
end

function calls.unfollow(given) -- 2 tag, 3 topic
  topics.unfollow(topics.find(given[2], given[3]), ME)
  return NIL
end

-- Say anew that this node follows topics. 2.. {tag, topic, epoch, offset}, as it was told. Returns {which, epoch,
-- latest offset, nil or {offset, time, body}} of each that stands elsewhere, with its latest event.
function calls.refollow(given)
  local elsewhere = {}
  for i = 2, #given do
    local tag, name, epoch, offset = unpack(given[i])
    local topic = topics.find(tag, name)
    topics.follow(topic)
    topics.forget(topic, 64)
    if topic.there and (topic.epoch ~= epoch or topic.head ~= offset) then
      local latest = history.latest(topic)
      elsewhere[#elsewhere + 1] = '\148'
        .. pack(i - 2, topic.epoch, topic.head)
        .. (latest and '\147' .. latest or NIL)
    end
  end
  return array(elsewhere)
end

function calls.sweep()
  for _, tag in ipairs(all_tags()) do
    records.sweep(tag, ME)
  end
  return NIL
end
