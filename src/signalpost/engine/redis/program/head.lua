-- One call of a node: all that it has to ask and to do in one tick, served in its order at one instant.
--
-- KEYS: none. Every name begins with "sp:"; what belongs to an app has the app as its hash tag.
-- ARGV[1]: msgpack array
--   1 now    Unix seconds, or false: the store's own clock counts
--   2 until  Unix seconds of the store's clock after which nobody waits for this any more, or false
--   3 run    the name of this run of the store, as INFO says it
--   4 fresh  a random text: the life that begins if the store is empty, or another run of it
--   5 me     the node
--   6 tags   array of hash tags that this node has not used before in this life
-- ARGV[2..]: one call each, as a msgpack array; its first element is its name in `calls` (calls.lua)
--
-- Returns one msgpack array: the life's name, since when all is known, the store's time, then the answers.
-- An error of the form "LATE ..." says that nothing was done.

local MARGIN = 60 -- seconds that a key outlives its time: what is over is judged by times, not by its absence

local call = redis.call
local pack, unpack_one = cmsgpack.pack, cmsgpack.unpack

local head = unpack_one(ARGV[1])
local ME, FRESH = head[5], head[4]
local clock = call('TIME')
local STORE_NOW = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local NOW = head[1] or STORE_NOW

if head[2] and STORE_NOW > head[2] then
  return redis.error_reply('LATE nobody waits for this any more')
end

-- What is packed here: msgpack, but bytes as "bin", which cmsgpack does not write.

local NIL, TRUE, FALSE = '\192', '\195', '\194'

local function bytes(text)
  return '\198' .. struct.pack('>I4', #text) .. text
end

local function array(parts) -- of what is packed already
  return '\221' .. struct.pack('>I4', #parts) .. table.concat(parts)
end

local function end_in(key, seconds) -- let the key go, some time after these seconds
  call('PEXPIRE', key, math.ceil((math.max(seconds, 0) + MARGIN) * 1000))
end

local function number(value) -- as text, without loss
  return string.format('%.17g', value)
end

-- Numbers that are never used twice: for revisions, turns and topics. They ascend from the clock of the
-- moment in which the store was found empty or to be another run, so that what was lost is not given again.

local numbers = { last = nil, changed = false }

function numbers.next()
  if not numbers.last then
    numbers.last = tonumber(call('GET', 'sp:number') or 0)
  end
  numbers.last = numbers.last + 1
  numbers.changed = true
  return numbers.last
end

function numbers.jump()
  local floor = math.floor(NOW * 1000000)
  numbers.last = math.max(tonumber(call('GET', 'sp:number') or 0), floor)
  numbers.changed = true
end

function numbers.save()
  if numbers.changed then
    call('SET', 'sp:number', string.format('%.0f', numbers.last))
  end
end

-- The life of the store: from when it was found empty. Its name changes with each run of the store as well (a
-- replica that was promoted may lack the last moments), and is part of every epoch: an offset that may have
-- been given is never given again under the same epoch.

local life = {} -- name, since

do
  local stored = call('GET', 'sp:life')
  local name, since, run
  if stored then
    name, since, run = unpack(unpack_one(stored))
  end
  if run ~= head[3] then
    name, since = FRESH, since or NOW
    call('SET', 'sp:life', pack({ name, since, head[3] }))
    numbers.jump()
  end
  life.name, life.since = name, since
  if #head[6] > 0 then
    call('SADD', 'sp:tags', unpack(head[6]))
  end
end

-- What nodes are told: gathered, and published once a node, behind all that is done.

local notices = { by_node = {} }

function notices.add(node, packed)
  local waiting = notices.by_node[node]
  if not waiting then
    waiting = {}
    notices.by_node[node] = waiting
  end
  waiting[#waiting + 1] = packed
end

function notices.publish(gone) -- gone(node) is called for each that nobody listens as
  for node, waiting in pairs(notices.by_node) do
    if call('PUBLISH', 'sp:node:' .. node, array(waiting)) == 0 then
      gone(node)
    end
  end
end
