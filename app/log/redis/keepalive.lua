-- Keeps a reader's lease, and gives its group's sign of life, while a batch takes long.
-- KEYS: meta, lease; ARGV: group, lease in ms
redis.call('PEXPIRE', KEYS[2], ARGV[2])
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'seen:' .. ARGV[1], tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
