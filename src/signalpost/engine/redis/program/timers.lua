-- Timers: one deadline a key, given out on a lease.
--
-- sp:{tag}:t   sorted set of keys, by when to give them out
-- sp:{tag}:u   hash of keys to {deadline, turn}

local timers = {}

function timers.arm(tag, key, at)
  call('HSET', 'sp:{' .. tag .. '}:u', key, pack({ at, numbers.next() }))
  call('ZADD', 'sp:{' .. tag .. '}:t', number(at), key)
end

function timers.cancel(tag, key)
  if call('ZREM', 'sp:{' .. tag .. '}:t', key) == 1 then
    call('HDEL', 'sp:{' .. tag .. '}:u', key)
  end
end

function timers.due(tags, limit, lease)
  local found = {}
  for _, tag in ipairs(tags) do
    local listed = call('ZRANGEBYSCORE', 'sp:{' .. tag .. '}:t', '-inf', number(NOW), 'WITHSCORES', 'LIMIT', 0, limit)
    for i = 1, #listed, 2 do
      found[#found + 1] = { tonumber(listed[i + 1]), tag, listed[i] }
    end
  end
  table.sort(found, function(a, b)
    return a[1] < b[1]
  end)
  local due = {}
  for i = 1, math.min(limit, #found) do
    local _, tag, key = unpack(found[i])
    call('ZADD', 'sp:{' .. tag .. '}:t', number(NOW + lease), key)
    local at, turn = unpack(unpack_one(call('HGET', 'sp:{' .. tag .. '}:u', key)))
    due[i] = '\147' .. pack(key, at, turn)
  end
  return array(due)
end

function timers.done(tag, key, turn)
  local stored = call('HGET', 'sp:{' .. tag .. '}:u', key)
  if stored and unpack_one(stored)[2] == turn then
    timers.cancel(tag, key)
  end
end

function timers.next(tags) -- when the first is to be given out, or nil
  local first
  for _, tag in ipairs(tags) do
    local at = tonumber(call('ZRANGE', 'sp:{' .. tag .. '}:t', 0, 0, 'WITHSCORES')[2])
    if at and (not first or at < first) then
      first = at
    end
  end
  return first
end
