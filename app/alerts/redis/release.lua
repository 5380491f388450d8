-- Gives the lease back; lease.lua is in front. KEYS: lease. ARGV: holder.

require_type(KEYS[1], 'string')
if not has_lease(KEYS[1], ARGV[1]) then return 0 end
return redis.call('DEL', KEYS[1])
