-- What a frame brings beside its router lines, once per frame: losses that the sender reports,
-- and dead letters.
-- KEYS: guard of the frame, losses, dead letters, counts
-- ARGV: seconds for the guard, app, JSON of {{dropped, code, window key, expiry}...}, JSON of letters,
--       most letters kept
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[1]) then return 0 end
for _, loss in ipairs(cjson.decode(ARGV[3])) do
  redis.call('HINCRBY', KEYS[2], ARGV[2], loss[1])
  redis.call('HINCRBY', KEYS[4], 'lost:' .. loss[2], loss[1])
  redis.call('HINCRBY', loss[3], ARGV[2], loss[1])
  redis.call('EXPIREAT', loss[3], loss[4])
end
local letters = cjson.decode(ARGV[4])
for _, letter in ipairs(letters) do
  redis.call('XADD', KEYS[3], 'MAXLEN', '~', ARGV[5], '*', unpack(letter))
end
if #letters > 0 then redis.call('HINCRBY', KEYS[4], 'dead_letters', #letters) end
return 1
