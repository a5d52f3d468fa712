-- The past of a topic: its events under consecutive offsets, within bounds.
--
-- sp:{tag}:e:EPOCH   list of the events that are kept, oldest first: 8 bytes of time, then the body

local history = {}

local PIECE = 64 -- events that are looked at together
local REFRESH = 30 -- seconds after which the end of the list is put off again

local function time_of(event)
  return (struct.unpack('>d', event))
end

local function packed(offset, event) -- offset, time, body
  return pack(offset, time_of(event)) .. bytes(string.sub(event, 9))
end

function history.add(topic, body, seconds, events, size) -- the event's offset, time and body, packed
  topic.head, topic.head_time, topic.changed = topic.head + 1, NOW, true
  topic.seconds, topic.events, topic.bytes = seconds, events, size
  if topic.kept == 0 then
    topic.first_time = NOW
  end
  call('RPUSH', topic.past, struct.pack('>d', NOW) .. body)
  topic.kept, topic.size = topic.kept + 1, topic.size + #body
  history.fade(topic)
  if topic.kept > 0 and topic.refreshed + REFRESH <= NOW then
    topic.refreshed = NOW
    end_in(topic.past, seconds + REFRESH)
  end
  return pack(topic.head, NOW) .. bytes(body)
end

function history.fade(topic) -- let go of what may not be kept any longer
  local oldest = NOW - topic.seconds
  if topic.kept > 0 and topic.head_time < oldest then
    call('UNLINK', topic.past)
    topic.kept, topic.size, topic.refreshed, topic.changed = 0, 0, 0, true
    return
  end
  while topic.kept > 0 and (topic.kept > topic.events or topic.size > topic.bytes or topic.first_time < oldest) do
    local gone = call('LPOP', topic.past)
    topic.kept, topic.size, topic.changed = topic.kept - 1, topic.size - (#gone - 8), true
    if topic.kept > 0 then
      topic.first_time = time_of(call('LINDEX', topic.past, 0))
    else
      topic.refreshed = 0 -- the list is gone, and its end with it
    end
  end
end

function history.first(topic) -- the offset of the first event that is kept; one more than the head if none is
  return topic.head - topic.kept + 1
end

function history.latest(topic) -- packed likewise, or nil if it is not kept
  history.fade(topic)
  if topic.kept == 0 then
    return nil
  end
  return packed(topic.head, call('LINDEX', topic.past, -1))
end

-- An array as `Page` has its fields, the events one after the other: offset, time, body.
function history.page(topic, after, limit, size)
  history.fade(topic)
  local kept_from = history.first(topic)
  local from = math.max(kept_from, after + 1)
  local lost = math.min(math.max(from - 1 - after, 0), topic.head)
  local page, offset, full = {}, from, false
  while not full and #page < limit and offset <= topic.head do
    local start = offset - kept_from
    local piece = math.min(PIECE, limit - #page)
    for _, event in ipairs(call('LRANGE', topic.past, start, start + piece - 1)) do
      size = size - (#event - 8)
      if size < 0 and #page > 0 then
        full = true
        break
      end
      page[#page + 1] = '\147' .. packed(offset, event)
      offset = offset + 1
    end
  end
  return '\150' .. array(page) .. pack(lost, topic.head, topic.head_time, topic.epoch, after)
end

-- How far a reader surely came; see the ask `Behind`. upto, at: a number, or false.
function history.behind(topic, upto, size, at)
  history.fade(topic)
  local first = history.first(topic)
  upto = upto and math.min(upto, topic.head) or topic.head
  if at then
    local low, high = 0, topic.kept -- events in front of `low` are older than that, those from `high` on not
    while low < high do
      local middle = math.floor((low + high) / 2)
      if time_of(call('LINDEX', topic.past, middle)) < at then
        low = middle + 1
      else
        high = middle
      end
    end
    upto = math.min(upto, first - 1 + low)
  end
  while size > 0 and upto >= first do
    local stop = upto - first
    local piece = call('LRANGE', topic.past, math.max(stop - PIECE + 1, 0), stop)
    for i = #piece, 1, -1 do
      if size <= 0 then
        break
      end
      size, upto = size - (#piece[i] - 8), upto - 1
    end
  end
  return upto
end
