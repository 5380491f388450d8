-- Finds out whether the items that wait for confirmation are in this Redis, and writes something.
--
-- A write, because WAIT waits for the last write of its own connection: since Redis 7.2 it answers at
-- once on a connection that has written nothing (before, it waited for all that anyone had written).
--
-- KEYS: meta, then the two generations of frames, and those of markers of frame events
-- ARGV: kind ('frame', 'marker' or 'key') and name of each
-- Returns the names of those that are not there.

local missing = {}
for i = 1, #ARGV, 2 do
  local name = ARGV[i + 1]
  local is_there
  if ARGV[i] == 'key' then
    is_there = redis.call('EXISTS', name) == 1
  else
    local new = ARGV[i] == 'frame' and 2 or 4
    is_there = redis.call('SISMEMBER', KEYS[new], name) == 1 or redis.call('SISMEMBER', KEYS[new + 1], name) == 1
  end
  if not is_there then missing[#missing + 1] = name end
end
redis.call('HINCRBY', KEYS[1], 'holds', 1)
return missing
