-- The nodes: when each beat last.
--
-- sp:beats    hash of nodes to when they beat last

local nodes = {}

function nodes.beat(node)
  call('HSET', 'sp:beats', node, number(NOW))
end

function nodes.silent(seconds) -- nodes, each followed by for how long
  local silent, beats = {}, call('HGETALL', 'sp:beats')
  for i = 1, #beats, 2 do
    local quiet = NOW - tonumber(beats[i + 1])
    if quiet >= seconds and beats[i] ~= ME then
      silent[#silent + 1] = beats[i]
      silent[#silent + 1] = quiet
    end
  end
  return silent
end

function nodes.forget(node)
  call('HDEL', 'sp:beats', node)
end
