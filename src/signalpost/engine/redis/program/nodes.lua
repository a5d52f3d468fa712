-- The nodes: when each beat last.
--
-- sp:beats    hash of nodes to when they beat last
-- sp:beaten   {when any node beat last, since when some node has always beaten}

local nodes = {}

local PAUSE = 5 -- seconds without any beat after which nobody's silence says anything: the store was away

function nodes.beat(node)
  local last, since = NOW, NOW
  local stored = call('GET', 'sp:beaten')
  if stored then
    last, since = unpack(unpack_one(stored))
    if NOW - last > PAUSE then
      since = NOW
    end
  end
  call('SET', 'sp:beaten', pack({ NOW, since }))
  call('HSET', 'sp:beats', node, number(NOW))
end

function nodes.silent(seconds) -- nodes, each followed by for how long
  local stored, silent = call('GET', 'sp:beaten'), {}
  if stored and NOW - unpack_one(stored)[2] >= seconds then
    local beats = call('HGETALL', 'sp:beats')
    for i = 1, #beats, 2 do
      local quiet = NOW - tonumber(beats[i + 1])
      if quiet >= seconds and beats[i] ~= ME then
        silent[#silent + 1] = beats[i]
        silent[#silent + 1] = quiet
      end
    end
  end
  return silent
end

function nodes.forget(node)
  call('HDEL', 'sp:beats', node)
end
