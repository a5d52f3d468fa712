-- Rates of topics: the times of the admitted changes of each, as 8 bytes each, ascending.
--
-- sp:{tag}:w:EPOCH:RATE   those times; at most twice as many as count, or as the rate admits

local rates = { open = {} } -- open: by key: {times, window}, and whether they have changed

local function find(topic, name)
  local key = topic.prefix .. 'w:' .. topic.epoch .. ':' .. name
  local found = rates.open[key]
  if not found then
    found = { times = call('GET', key) or '' }
    rates.open[key] = found
  end
  return found
end

-- How long one more has to wait, and what the rate allows; nil if there is room. rate: as `Rate` has it.
function rates.wait(topic, rate)
  local name, limit, window, attribute, most = unpack(rate)
  if attribute ~= '' then
    local value = topics.value(topic, attribute)
    if value and string.find(value, '^%d+$') then
      limit = math.min(tonumber(value), most)
    end
  end
  if limit < 1 then
    return 0, limit
  end
  local times = find(topic, name).times
  local start = #times - limit * 8
  if start < 0 then
    return nil
  end
  local at = struct.unpack('>d', times, start + 1)
  if at > NOW - window then
    return at - (NOW - window), limit
  end
  return nil
end

function rates.count(topic, rate)
  local name, limit, window, _, most = unpack(rate)
  local found, room = find(topic, name), math.max(limit, most, 1) * 8
  local times = found.times
  if #times > 2 * room then
    times = string.sub(times, -room)
  end
  local middle = math.floor(#times / 16) * 8 -- of those up to there none counts if this one does not
  if middle > 0 and struct.unpack('>d', times, middle - 7) <= NOW - window then
    times = string.sub(times, middle + 1)
  end
  found.times = times .. struct.pack('>d', NOW)
  found.window, found.changed = window, true
end

function rates.save()
  for key, found in pairs(rates.open) do
    if found.changed then
      call('SET', key, found.times, 'PX', math.ceil((found.window + MARGIN) * 1000))
    end
  end
end
