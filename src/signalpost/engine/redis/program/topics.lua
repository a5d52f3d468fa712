-- Topics: who is in them, copies of their attributes, and where their past stands.
--
-- sp:{tag}:c:TOPIC   the topic: see `save`
-- sp:{tag}:m:TOPIC   sorted set of members, by the order in which they came
-- sp:{tag}:g:TOPIC   hash of members to tags
-- sp:{tag}:a:TOPIC   hash of attributes to values
-- sp:{tag}:v:TOPIC   hash of attributes to revisions, of those deleted lately, too
-- sp:{tag}:x:TOPIC   sorted set of attributes deleted lately, by when
-- sp:{tag}:f:TOPIC   set of the nodes that follow it; it may be there without the topic
-- sp:{tag}:j:EPOCH   hash of members to the offset at which they came
--
-- Each topic is read once in a call, and written behind all that changes it.

local topics = { open = {} } -- open: by name

local GRAVES = 60 -- seconds for which the revision of a deleted attribute is known
local FOLLOWED = 3600 -- seconds for which it is known who follows a topic, unless he says so again

function topics.find(tag, name)
  local id = tag .. '}' .. name
  local topic = topics.open[id]
  if topic then
    return topic
  end
  topic = { tag = tag, name = name, prefix = 'sp:{' .. tag .. '}:' }
  topics.open[id] = topic
  local stored = call('GET', topic.prefix .. 'c:' .. name)
  if not stored then
    return topic
  end
  local fields = unpack_one(stored)
  topic.there, topic.stored = true, true
  topic.life, topic.number, topic.count, topic.added, topic.emptied = unpack(fields, 1, 5)
  topic.floor, topic.attributes, topic.graves = unpack(fields, 6, 8)
  topic.head, topic.head_time, topic.kept, topic.size, topic.first_time = unpack(fields, 9, 13)
  topic.seconds, topic.events, topic.bytes, topic.refreshed = unpack(fields, 14, 17)
  topic.windows = fields[18] -- see rates.lua
  if topic.life ~= life.name then
    topics.renew(topic)
  end
  topics.name_past(topic)
  return topic
end

function topics.name_past(topic)
  topic.epoch = topic.life .. string.format('%x', topic.number)
  topic.past = topic.prefix .. 'e:' .. topic.epoch
end

-- Another run of the store may have lost events that somebody was told of: the past begins anew.
function topics.renew(topic)
  topics.name_past(topic)
  call('UNLINK', topic.past, topic.prefix .. 'j:' .. topic.epoch)
  topic.life, topic.changed = life.name, true
  topics.begin_past(topic)
end

function topics.begin_past(topic)
  topic.windows = {}
  topic.head, topic.head_time, topic.kept, topic.size, topic.first_time = 0, 0, 0, 0, 0
  topic.seconds, topic.events, topic.bytes, topic.refreshed = 0, 0, 0, 0
end

function topics.begin(topic)
  topic.there, topic.changed = true, true
  topic.life, topic.number = life.name, numbers.next()
  topic.count, topic.added, topic.emptied, topic.floor, topic.attributes, topic.graves = 0, 0, NOW, 0, 0, 0
  topics.begin_past(topic)
  topics.name_past(topic)
end

function topics.finish(topic)
  local prefix, name = topic.prefix, topic.name
  topic.there, topic.changed, topic.values = false, true, nil
  call('UNLINK', prefix .. 'm:' .. name, prefix .. 'g:' .. name, prefix .. 'a:' .. name, prefix .. 'v:' .. name,
    prefix .. 'x:' .. name, prefix .. 'j:' .. topic.epoch, topic.past)
end

function topics.save(tidy) -- tidy(topic) is called for each that is stored
  for _, topic in pairs(topics.open) do
    local name = topic.prefix .. 'c:' .. topic.name
    if not topic.there then
      if topic.stored then
        call('DEL', name)
      end
    elseif topic.changed then
      tidy(topic)
      call('SET', name, pack({
        topic.life, topic.number, topic.count, topic.added, topic.emptied,
        topic.floor, topic.attributes, topic.graves,
        topic.head, topic.head_time, topic.kept, topic.size, topic.first_time,
        topic.seconds, topic.events, topic.bytes, topic.refreshed,
        topic.windows,
      }))
    end
  end
end

-- Members.

function topics.tag_of(topic, member)
  return topic.there and call('HGET', topic.prefix .. 'g:' .. topic.name, member) or nil
end

function topics.add(topic, member, tag) -- whether it is new
  local new = call('HSET', topic.prefix .. 'g:' .. topic.name, member, tag) == 1
  if new then
    topic.added, topic.count, topic.changed = topic.added + 1, topic.count + 1, true
    call('ZADD', topic.prefix .. 'm:' .. topic.name, topic.added, member)
  end
  return new
end

function topics.remove(topic, member)
  call('HDEL', topic.prefix .. 'g:' .. topic.name, member)
  call('ZREM', topic.prefix .. 'm:' .. topic.name, member)
  call('HDEL', topic.prefix .. 'j:' .. topic.epoch, member)
  topic.count, topic.changed = topic.count - 1, true
  if topic.count == 0 then
    topic.emptied = NOW
  end
end

function topics.came(topic, member) -- it was added, and told so
  call('HSETNX', topic.prefix .. 'j:' .. topic.epoch, member, topic.head)
end

function topics.joined(topic, member)
  return tonumber(call('HGET', topic.prefix .. 'j:' .. topic.epoch, member) or 0)
end

-- Attributes.

function topics.value(topic, name) -- of an attribute, or nil
  if topic.attributes == 0 then
    return nil
  end
  topic.values = topic.values or {}
  local value = topic.values[name]
  if value == nil then
    value = call('HGET', topic.prefix .. 'a:' .. topic.name, name)
    topic.values[name] = value
  end
  return value or nil
end

function topics.is_newer(topic, name, rev)
  return rev > tonumber(call('HGET', topic.prefix .. 'v:' .. topic.name, name) or topic.floor)
end

local function know(topic, name, rev)
  call('HSET', topic.prefix .. 'v:' .. topic.name, name, string.format('%.0f', rev))
  topic.values = nil
end

function topics.copy(topic, attributes) -- name, value, revision and so on, into a topic that has just begun
  for i = 1, #attributes, 3 do
    know(topic, attributes[i], attributes[i + 2])
    call('HSET', topic.prefix .. 'a:' .. topic.name, attributes[i], attributes[i + 1])
    topic.attributes = topic.attributes + 1
    topic.floor = math.max(topic.floor, attributes[i + 2])
  end
end

function topics.set(topic, name, value, rev) -- whether that is news
  if not topics.is_newer(topic, name, rev) then
    return false
  end
  know(topic, name, rev)
  topic.attributes = topic.attributes + call('HSET', topic.prefix .. 'a:' .. topic.name, name, value)
  topic.changed = true
  return true
end

function topics.unset(topic, name, rev) -- whether that is news
  if not topics.is_newer(topic, name, rev) then
    return false
  end
  know(topic, name, rev)
  call('ZADD', topic.prefix .. 'x:' .. topic.name, number(NOW), name)
  topic.graves, topic.changed = topic.graves + 1, true
  local gone = call('HDEL', topic.prefix .. 'a:' .. topic.name, name)
  topic.attributes = topic.attributes - gone
  return gone == 1
end

function topics.forget(topic, limit) -- revisions of attributes that were deleted long ago
  if not topic.there or topic.graves == 0 then
    return
  end
  local graves, name = topic.prefix .. 'x:' .. topic.name, topic.name
  for _, gone in ipairs(call('ZRANGEBYSCORE', graves, '-inf', number(NOW - GRAVES), 'LIMIT', 0, limit)) do
    call('ZREM', graves, gone)
    if call('HEXISTS', topic.prefix .. 'a:' .. name, gone) == 0 then
      call('HDEL', topic.prefix .. 'v:' .. name, gone)
    end
  end
  topic.graves, topic.changed = call('ZCARD', graves), true
end

-- Who follows.

function topics.follow(topic)
  local name = topic.prefix .. 'f:' .. topic.name
  call('SADD', name, ME)
  call('EXPIRE', name, FOLLOWED)
  topic.followers = nil
end

function topics.unfollow(topic, node)
  call('SREM', topic.prefix .. 'f:' .. topic.name, node)
  topic.followers = nil
end

function topics.tell(topic, event) -- event: packed offset, time and body
  topic.followers = topic.followers or call('SMEMBERS', topic.prefix .. 'f:' .. topic.name)
  if #topic.followers == 0 then
    return
  end
  local notice = '\149' .. pack(topic.name, topic.epoch) .. event
  for _, node in ipairs(topic.followers) do
    notices.add(node, notice)
  end
end

function topics.leave(node) -- nobody listens as this node: it says so again when it does
  for _, topic in pairs(topics.open) do
    for _, follower in ipairs(topic.followers or {}) do
      if follower == node then
        call('SREM', topic.prefix .. 'f:' .. topic.name, node)
      end
    end
  end
end

-- What is shown of one: an array as `Snapshot` has its fields, the attributes as names and values in turn.

function topics.show(topic, limit)
  if not topic.there then
    return NIL
  end
  local newest, members = {}, {}
  if limit > 0 and topic.count > 0 then
    newest = call('ZREVRANGE', topic.prefix .. 'm:' .. topic.name, 0, limit - 1)
  end
  for i = #newest, 1, -1 do
    members[#members + 1] = newest[i]
  end
  local attributes = topic.attributes > 0 and call('HGETALL', topic.prefix .. 'a:' .. topic.name) or {}
  local emptied = topic.count == 0 and topic.emptied or 0
  return '\151' .. pack(topic.head, topic.epoch, topic.count, members, attributes, topic.added, emptied)
end
