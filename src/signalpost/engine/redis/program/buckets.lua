-- Buckets: what was spent of them, as the time at which all of it has come back.
--
-- sp:{tag}:b:KEY   that time

local buckets = {}

local ROUNDING = 1e-9 -- seconds

local function full_at(name)
  return math.max(NOW, tonumber(call('GET', name) or NOW))
end

function buckets.wait(tag, key, rate, burst) -- seconds until one may be taken; nil for at once
  local wait = full_at('sp:{' .. tag .. '}:b:' .. key) - NOW - (burst - 1) / rate
  return wait > ROUNDING and wait or nil
end

function buckets.spend(tag, key, rate)
  local name = 'sp:{' .. tag .. '}:b:' .. key
  local at = full_at(name) + 1 / rate
  call('SET', name, number(at), 'PX', math.ceil((at - NOW + MARGIN) * 1000))
end
