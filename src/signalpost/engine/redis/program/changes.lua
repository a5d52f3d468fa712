-- Changes of topics. A change is an array:
--   3 topic    4 edits   5 event or false   6-8 keep: seconds, events, bytes   9 rates
--   10 dedupe  11 its seconds   12 {attribute, value} or false   13 follows   14 show
-- An edit is {BEGIN, {name, value, revision, ...}}, {ADD or REMOVE, member, tag}, {SET, name, value, revision}
-- or {UNSET, name, revision}; a rate {name, limit, window, attribute, most}.
--
-- sp:{tag}:d:LENGTH:TOPIC:TEXT   {until when, what a repetition is told}

local changes = { news = false } -- news: whether the change before made some

local BEGIN, ADD, REMOVE, SET, UNSET = 1, 2, 3, 4, 5

local function receipt(tag, topic, dedupe) -- what a repetition is told, or nil
  local stored = call('GET', 'sp:{' .. tag .. '}:d:' .. #topic .. ':' .. topic .. ':' .. dedupe)
  if not stored then
    return nil
  end
  local ends, told = unpack(unpack_one(stored))
  return ends > NOW and told or nil
end

local function answer(topic, applied, news, told) -- as `Changed` has its fields
  if not topic.there then
    return '\152' .. pack(0, '', applied, news, told, false, 0) .. NIL
  end
  return '\152' .. pack(topic.head, topic.epoch, applied, news, told, false, topic.count) .. NIL
end

local function matches(topic, edits) -- whether every member that is to be removed is there with its tag
  for _, edit in ipairs(edits) do
    if edit[1] == REMOVE and topics.tag_of(topic, edit[2]) ~= edit[3] then
      return false
    end
  end
  return true
end

local function is_news(topic, edits)
  if not matches(topic, edits) then
    return false
  end
  for _, edit in ipairs(edits) do
    local kind = edit[1]
    if kind == REMOVE then
      return true
    elseif kind == ADD then
      if not topics.tag_of(topic, edit[2]) then
        return true
      end
    elseif kind == SET then
      if topics.is_newer(topic, edit[2], edit[4]) then
        return true
      end
    elseif kind == UNSET then
      if topics.value(topic, edit[2]) and topics.is_newer(topic, edit[2], edit[3]) then
        return true
      end
    end
  end
  return false
end

function changes.receipt(tag, topic, dedupe)
  return receipt(tag, topic, dedupe) or NIL
end

function changes.refused(change) -- the kind of refusal and its fields, or nil; judged by what was there before
  local topic, edits = topics.find(change[2], change[3]), change[4]
  if not topic.there then
    for _, edit in ipairs(edits) do
      if edit[1] == BEGIN then
        return nil
      elseif edit[1] == ADD then
        return 'conflict'
      end
    end
    return nil
  end
  if #change[9] == 0 or (change[10] ~= '' and receipt(change[2], change[3], change[10])) then
    return nil
  end
  if #edits == 0 or is_news(topic, edits) then
    for _, rate in ipairs(change[9]) do
      local wait, limit = rates.wait(topic, rate)
      if wait then
        return 'rate', rate[1], limit, wait
      end
    end
  end
  return nil
end

local function edit_all(topic, edits) -- whether that was news, and the members that came
  local news, came = false, {}
  for _, edit in ipairs(edits) do
    local kind = edit[1]
    if kind == BEGIN then
      if not topic.there then
        topics.begin(topic)
        topics.copy(topic, edit[2])
      end
    elseif kind == ADD then
      if not topic.there then -- it ended in this very commit
        topics.begin(topic)
      end
      if topics.add(topic, edit[2], edit[3]) then
        came[#came + 1] = edit[2]
        news = true
      end
    elseif topic.there then
      if kind == REMOVE then
        topics.remove(topic, edit[2])
        news = true
      elseif kind == SET then
        news = topics.set(topic, edit[2], edit[3], edit[4]) or news
      else
        news = topics.unset(topic, edit[2], edit[3]) or news
      end
    end
  end
  return news, came
end

function changes.make(change)
  local topic, edits = topics.find(change[2], change[3]), change[4]
  if change[13] and not changes.news then
    return answer(topic, false, false, false)
  end
  changes.news = false
  local dedupe = change[10]
  if dedupe ~= '' then
    local known = receipt(change[2], change[3], dedupe)
    if known then
      return known
    end
  end
  local news, came = true, {}
  if #edits > 0 then
    if not matches(topic, edits) then
      return answer(topic, false, false, false)
    end
    topics.forget(topic, 2)
    news, came = edit_all(topic, edits)
  end
  if not topic.there then
    return answer(topic, true, false, false)
  end
  changes.news = news
  local event, unless, told = change[5], change[12], false
  if event and news and not (unless and topics.value(topic, unless[1]) == unless[2]) then
    told = true
    topics.tell(topic, history.add(topic, event, change[6], change[7], change[8]))
  end
  for _, member in ipairs(came) do
    if topics.tag_of(topic, member) then
      topics.came(topic, member)
    end
  end
  if news then
    for _, rate in ipairs(change[9]) do
      rates.count(topic, rate)
    end
  end
  local shown = change[14] >= 0 and topics.show(topic, change[14]) or NIL
  local done = '\152' .. pack(topic.head, topic.epoch, true, news, told, false, topic.count) .. shown
  if dedupe ~= '' then
    local again = '\152' .. pack(topic.head, topic.epoch, true, news, told, true, topic.count) .. NIL
    local name = 'sp:{' .. change[2] .. '}:d:' .. #change[3] .. ':' .. change[3] .. ':' .. dedupe
    local seconds = change[11]
    call('SET', name, pack({ NOW + seconds, again }), 'PX', math.ceil((seconds + MARGIN) * 1000))
  end
  if topic.count == 0 and topic.attributes == 0 then
    topics.finish(topic)
  end
  return done
end

function changes.drop(tag, name, if_empty)
  local topic = topics.find(tag, name)
  if not topic.there or (if_empty and topic.count > 0) then
    return false
  end
  topics.finish(topic)
  return true
end
