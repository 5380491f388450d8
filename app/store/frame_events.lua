-- Frame events, recorded once per frame: losses that the sender reports, and dead letters. dead_letters.lua is in front.
-- KEYS: markers:new, markers:old, losses, one window of losses
-- ARGV: marker of the frame, markers remembered per generation, seconds they are kept, app,
--       JSON of {code: messages lost}, expiry of the window (Unix s), then the letters
--
-- A script cannot take back what it wrote, so it writes only once nothing can fail any more, and
-- the marker last: whatever goes wrong, the same frame may come again and counts once.

local new, old, losses, window = unpack(KEYS)
local marker, app = ARGV[1], ARGV[4]

if redis.call('SISMEMBER', old, marker) == 1 or redis.call('SISMEMBER', new, marker) == 1 then return 0 end
require_type(losses, 'hash')
require_type(window, 'hash')
require_letter_types()

allow_writes_when_full()  -- all that follows is bounded, also by itself
keep_dead_letters(ARGV, 7)
local dropped = 0
for code, messages in pairs(cjson.decode(ARGV[5])) do
  count_up(letters.counts, 'lost:' .. code, messages)
  dropped = dropped + messages
end
if dropped > 0 then
  count_up(losses, app, dropped)
  count_up(window, app, dropped)
  redis.call('EXPIREAT', window, ARGV[6])
end
redis.call('SADD', new, marker)
redis.call('EXPIRE', new, ARGV[3])
if redis.call('SCARD', new) >= tonumber(ARGV[2]) then redis.call('RENAME', new, old) end
return 1
