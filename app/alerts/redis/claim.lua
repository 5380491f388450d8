-- Notes that sending begins; lease.lua and outbox.lua are in front.
-- KEYS: lease, outbox. ARGV: holder, id, now (Unix s). 1: it may be sent.

require_type(KEYS[2], 'hash')
if not has_lease(KEYS[1], ARGV[1]) then return 0 end
local found = decoded(redis.call('HGET', KEYS[2], ARGV[2]))
if not found then return 0 end
local now_s = tonumber(ARGV[3])
found.attempts = (found.attempts or 0) + 1
found.begun_s = found.begun_s or now_s
found.claimed_s = now_s
found.by = ARGV[1]
allow_writes_when_full(KEYS[2])
redis.call('HSET', KEYS[2], ARGV[2], cjson.encode(found))
return 1
