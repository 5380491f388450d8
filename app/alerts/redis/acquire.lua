-- Takes or renews the lease; lease.lua is in front. KEYS: lease. ARGV: holder, for how many ms. 1: it has it.

require_type(KEYS[1], 'string')
local found = redis.call('GET', KEYS[1])
if found and found ~= ARGV[1] then return 0 end
allow_writes_when_full(KEYS[1])
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
