-- Notes that a target took a message; lease.lua and outbox.lua are in front. Who lost the lease meanwhile may say
-- it as well: it is true whoever says it, and spares the target a second one.
-- KEYS: outbox, messages, targets. ARGV: id, target, now (Unix s), most targets.

for _, key in ipairs(KEYS) do require_type(key, 'hash') end
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
remove(KEYS[1], KEYS[2], ARGV[1])
note(KEYS[3], ARGV[2], tonumber(ARGV[4]), {delivered_s = tonumber(ARGV[3])})
return 1
