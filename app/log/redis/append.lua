-- Appends one frame to the log in Redis, once, and keeps the log within its size limit.
--
-- KEYS: stream, meta, frames:new, frames:old
-- ARGV: frame id, messages in it, their bytes as stored, packed router lines, limit in bytes,
--       frames remembered per generation, ms after which a silent group counts as stopped;
--       where the frame has messages of the platform: how many of its messages, and packed
-- Returns the number of messages written: 0 for a frame that is in the log already. If the limit would drop
-- what a running group has not read, nothing is written, and the answer is {group, messages it has not read}.
--
-- Keys that are derived here, as app/store/keys.py names them: `<stream>:lease:<group>:<consumer>`, there
-- while that consumer lives, and `<meta>:gone:<group>`, hash: entry -> its messages, of those trimmed while
-- the group held them.
--
-- meta is a hash: `added` (messages ever written), `bytes` (of what is kept), `kept` (messages),
-- `trimmed` (messages dropped by the bound); per group `read:<group>` and `lost:<group>` (messages),
-- `seen:<group>` (its last sign of life), `stopped:<group>` (the `seen` after which it was found
-- stopped), `full:<group>` (frames refused because of it), `full_at:<group>`. Times are Redis's, in ms.

local stream, meta, new, old = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local frame, messages, size = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

if redis.call('SISMEMBER', old, frame) == 1 or redis.call('SISMEMBER', new, frame) == 1 then
  return 0
end

local TRIMMED_AT_ONCE = 500
local limit = tonumber(ARGV[5]) - size
local bytes = tonumber(redis.call('HGET', meta, 'bytes') or 0)

-- Beyond the limit, the oldest frames are dropped, and counted for each group that has not read them. This
-- happens before the new one is added, and XDEL comes before any other write: a full Redis refuses a script
-- whose first write takes memory, so that lowering the limit would not help.
-- Returns the refusal if a running group is in the way.
local function make_room()
  local function field(list, name)
    for i = 1, #list, 2 do
      if list[i] == name then return list[i + 1] end
    end
  end

  local function is_after(id, other)
    local ms, sequence = string.match(id, '(%d+)-(%d+)')
    local other_ms, other_sequence = string.match(other, '(%d+)-(%d+)')
    if ms == other_ms then return tonumber(sequence) > tonumber(other_sequence) end
    return tonumber(ms) > tonumber(other_ms)
  end

  -- pcall around what is written here, because it comes before the first XDEL.
  local function is_running(group, now)
    local found = redis.call('HMGET', meta, 'seen:' .. group, 'stopped:' .. group)
    local seen = tonumber(found[1] or 0)
    if seen > now then
      -- The clock was set back: from here on the silence is counted anew.
      redis.pcall('HSET', meta, 'seen:' .. group, now)
      return true
    end
    if now - seen < tonumber(ARGV[7]) then return true end
    -- A worker of an older version gives no sign but its lease.
    for _, consumer in ipairs(redis.call('XINFO', 'CONSUMERS', stream, group)) do
      local lease = stream .. ':lease:' .. group .. ':' .. field(consumer, 'name')
      if redis.call('EXISTS', lease) == 1 then return true end
    end
    if tonumber(found[2] or -1) == seen then return false end
    -- While Redis itself was down, no worker could give a sign: they have 20 s to come back.
    local info = redis.pcall('INFO', 'server')
    local up_s = type(info) == 'string' and string.match(info, 'uptime_in_seconds:(%d+)')
    if up_s and tonumber(up_s) < 20 then return true end
    redis.pcall('HSET', meta, 'stopped:' .. group, seen)
    return false
  end

  local function refusal(group)
    local time = redis.call('TIME')
    local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    if not is_running(group, now) then return end
    redis.pcall('HINCRBY', meta, 'full:' .. group, 1)
    redis.pcall('HSET', meta, 'full_at:' .. group, now)
    local counts = redis.call('HMGET', meta, 'added', 'read:' .. group, 'lost:' .. group)
    return {group, tonumber(counts[1] or 0) - tonumber(counts[2] or 0) - tonumber(counts[3] or 0)}
  end

  if redis.call('EXISTS', stream) == 0 then return end
  local groups = redis.call('XINFO', 'GROUPS', stream)
  for at, info in ipairs(groups) do
    groups[at] = {
      name = field(info, 'name'),
      last = field(info, 'last-delivered-id'),
      pending = field(info, 'pending'),
    }
  end

  -- A limit that was lowered by much is reached in steps: no script may hold Redis for long.
  local trimmed = 0
  while bytes > limit and trimmed < TRIMMED_AT_ONCE do
    trimmed = trimmed + 1
    local entry = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    if not entry then return end
    local id = entry[1]
    for _, group in ipairs(groups) do
      group.has_not_read = is_after(id, group.last)
      group.holds = not group.has_not_read and group.pending > 0
        and #redis.call('XPENDING', stream, group.name, id, id, 1) > 0
      if (group.has_not_read or group.holds) and not group.is_stopped then
        local refused = refusal(group.name)
        if refused then return refused end
        group.is_stopped = true
      end
    end
    local count = tonumber(field(entry[2], 'n'))
    local freed = string.len(field(entry[2], 'v')) + string.len(field(entry[2], 'p') or '') + 128
    redis.call('XDEL', stream, id)
    for _, group in ipairs(groups) do
      if group.has_not_read then
        redis.call('HINCRBY', meta, 'lost:' .. group.name, count)
      elseif group.holds then
        -- A worker may still hold it in memory and settle it; whoever finds it gone counts it.
        redis.call('HSET', meta .. ':gone:' .. group.name, id, count)
      end
    end
    redis.call('HINCRBY', meta, 'kept', -count)
    redis.call('HINCRBY', meta, 'trimmed', count)
    bytes = redis.call('HINCRBY', meta, 'bytes', -freed)
  end
end

if bytes > limit then
  local refused = make_room()
  if refused then return refused end
end

local entry = { 'f', frame, 'n', messages, 'v', ARGV[4] }
if ARGV[8] then
  for _, value in ipairs({ 'pn', ARGV[8], 'p', ARGV[9] }) do entry[#entry + 1] = value end
end
redis.call('XADD', stream, '*', unpack(entry))
redis.call('SADD', new, frame)
if redis.call('SCARD', new) >= tonumber(ARGV[6]) then redis.call('RENAME', new, old) end
redis.call('HINCRBY', meta, 'added', messages)
redis.call('HINCRBY', meta, 'kept', messages)
redis.call('HINCRBY', meta, 'bytes', size)
return messages
