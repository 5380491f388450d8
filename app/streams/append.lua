-- Appends one frame to the log in Redis, once, and keeps the log within its bound.
--
-- KEYS: stream, meta, frames:new, frames:old
-- ARGV: frame id, messages in it, their bytes as stored, packed messages, limit in bytes,
--       frames remembered per generation
-- Returns the number of messages written: 0 for a frame that is in the log already.
--
-- meta is a hash: `added` (messages ever written), `bytes` (of what is kept), `kept` (messages),
-- `trimmed` (messages dropped by the bound); per group `read:<group>` and `lost:<group>`.

local stream, meta, new, old = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local frame, messages, size = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

if redis.call('SISMEMBER', old, frame) == 1 or redis.call('SISMEMBER', new, frame) == 1 then
  return 0
end

local function parts(id)
  local ms, sequence = string.match(id, '(%d+)-(%d+)')
  return tonumber(ms), tonumber(sequence)
end

local function is_after(id, other)
  local ms, sequence = parts(id)
  local other_ms, other_sequence = parts(other)
  return ms > other_ms or (ms == other_ms and sequence > other_sequence)
end

local function field(list, name)
  for i = 1, #list, 2 do
    if list[i] == name then return list[i + 1] end
  end
end

-- Over the bound, the oldest frames go, and for each group that has not read them it is said. They go
-- before the new one comes, and XDEL before any other write: a Redis that is full refuses a script
-- whose first write takes memory, so that lowering the bound would not help it.
local limit = tonumber(ARGV[5]) - size
local bytes = tonumber(redis.call('HGET', meta, 'bytes') or 0)
local groups
while bytes > limit do
  local entry = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
  if not entry then break end
  groups = groups or redis.call('XINFO', 'GROUPS', stream)
  local id, count = entry[1], tonumber(field(entry[2], 'n'))
  local freed = string.len(field(entry[2], 'v')) + 128
  redis.call('XDEL', stream, id)
  for _, group in ipairs(groups) do
    local name = field(group, 'name')
    if is_after(id, field(group, 'last-delivered-id')) then
      redis.call('HINCRBY', meta, 'lost:' .. name, count)
    elseif #redis.call('XPENDING', stream, name, id, id, 1) > 0 then
      -- A worker may still hold it in memory and settle it; whoever finds it gone counts it.
      redis.call('HSET', meta .. ':gone:' .. name, id, count)
    end
  end
  redis.call('HINCRBY', meta, 'kept', -count)
  redis.call('HINCRBY', meta, 'trimmed', count)
  bytes = redis.call('HINCRBY', meta, 'bytes', -freed)
end

redis.call('XADD', stream, '*', 'f', frame, 'n', messages, 'v', ARGV[4])
redis.call('SADD', new, frame)
if redis.call('SCARD', new) >= tonumber(ARGV[6]) then redis.call('RENAME', new, old) end
redis.call('HINCRBY', meta, 'added', messages)
redis.call('HINCRBY', meta, 'kept', messages)
redis.call('HINCRBY', meta, 'bytes', size)
return messages
