-- Adds a silence, in place of one of the same rule and app; lease.lua is in front.
-- KEYS: silences. ARGV: field, until (Unix s), now (Unix s), most. 1: it is there.

require_type(KEYS[1], 'hash')
allow_writes_when_full(KEYS[1])
local all = redis.call('HGETALL', KEYS[1])
for at = 1, #all, 2 do
  if (tonumber(all[at + 1]) or 0) <= tonumber(ARGV[3]) then redis.call('HDEL', KEYS[1], all[at]) end
end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return 1
