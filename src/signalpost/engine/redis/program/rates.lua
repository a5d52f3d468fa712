-- Rates of topics. A topic has, by the name of each, {window, times}: the times of the admitted changes as 8
-- bytes each, ascending; at most twice as many as count, or as the rate admits.

local rates = {}

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
  local known = topic.windows[name]
  local times = known and known[2] or ''
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
  local known, room = topic.windows[name], math.max(limit, most, 1) * 8
  local times = known and known[2] or ''
  if #times > 2 * room then
    times = string.sub(times, -room)
  end
  local middle = math.floor(#times / 16) * 8 -- of those up to there none counts if this one does not
  if middle > 0 and struct.unpack('>d', times, middle - 7) <= NOW - window then
    times = string.sub(times, middle + 1)
  end
  topic.windows[name] = { window, times .. struct.pack('>d', NOW) }
  topic.changed = true
end

function rates.forget(topic) -- those of which nothing counts any more
  for name, known in pairs(topic.windows) do
    if struct.unpack('>d', known[2], #known[2] - 7) + known[1] <= NOW then
      topic.windows[name] = nil
    end
  end
end
