-- Notes that a target did not take a message; lease.lua and outbox.lua are in front.
-- KEYS: lease, outbox, messages, targets. ARGV: holder, id, target, now (Unix s), most targets, reason,
-- when it is due again (Unix s; empty: never; forget: never, and nobody need know).

for at = 2, 4 do require_type(KEYS[at], 'hash') end
local lease, outbox, messages, targets = unpack(KEYS)
local id, target, now_s, most, reason = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6]
if not has_lease(lease, ARGV[1]) then return 0 end
local text = redis.call('HGET', outbox, id)
if not text then return 0 end
local found = decoded(text) or {}
if found.by and found.by ~= '' and found.by ~= ARGV[1] then return 0 end
allow_writes_when_full(outbox)
if ARGV[7] == 'forget' then
  remove(outbox, messages, id)
elseif ARGV[7] == '' then
  give_up(outbox, messages, targets, id, target, most, reason, now_s)
else
  found.by, found.due_s, found.reason = '', tonumber(ARGV[7]), reason
  redis.call('HSET', outbox, id, cjson.encode(found))
  note(targets, target, most, {failed_s = now_s, reason = reason})
end
return 1
