-- Records: compare-and-set, a time to live, and whose they are.
--
-- sp:{tag}:r:KEY    {revision, end or false, node, value}
-- sp:{tag}:o:NODE   sorted set of the keys of records that name the node, by their ends

local records = { read = {} } -- read: what was found in this call, false for nothing

function records.find(tag, key)
  local name = 'sp:{' .. tag .. '}:r:' .. key
  local found = records.read[name]
  if found == nil then
    local stored = call('GET', name)
    found = stored and unpack_one(stored) or false
    records.read[name] = found
  end
  if found and found[2] and found[2] <= NOW then
    return nil, name
  end
  return found or nil, name
end

function records.is(tag, key, rev) -- whether the record has this revision; 0: there is none
  local found = records.find(tag, key)
  return (found and found[1] or 0) == rev
end

local function disown(tag, key, name)
  local before = records.read[name]
  if before and before[3] ~= '' then
    call('ZREM', 'sp:{' .. tag .. '}:o:' .. before[3], key)
  end
end

function records.put(tag, key, value, ttl, node)
  local _, name = records.find(tag, key)
  local ends = ttl and NOW + ttl
  local record = { numbers.next(), ends, node, value }
  local before = records.read[name]
  if before and before[3] ~= node then
    disown(tag, key, name)
  end
  if ttl then
    call('SET', name, pack(record), 'PX', math.ceil((math.max(ttl, 0) + MARGIN) * 1000))
  else
    call('SET', name, pack(record))
  end
  if node ~= '' then
    call('ZADD', 'sp:{' .. tag .. '}:o:' .. node, ends and number(ends) or '+inf', key)
  end
  records.read[name] = record
  return record[1]
end

function records.delete(tag, key)
  local found, name = records.find(tag, key)
  if records.read[name] then
    disown(tag, key, name)
    call('DEL', name)
    records.read[name] = false
  end
  return found ~= nil
end

function records.owned(tag, node)
  return call('ZRANGEBYSCORE', 'sp:{' .. tag .. '}:o:' .. node, '(' .. number(NOW), '+inf')
end

function records.sweep(tag, node) -- forget whose records were that are over
  call('ZREMRANGEBYSCORE', 'sp:{' .. tag .. '}:o:' .. node, '-inf', number(NOW))
end
