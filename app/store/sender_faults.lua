-- What one process of `web` has counted since its last call. dead_letters.lua is in front.
-- KEYS: faults, one window of faults, unknown tokens, the number of the batch taken last from this process
-- ARGV: JSON of {field = {count, last (Unix s), token's digest}}, expiry of the window (Unix s),
--       JSON of {digest = {count, last}}, tokens kept at most, tokens last seen before this (Unix s) are dropped,
--       number of this batch, seconds that it is kept
--
-- The fields are a fixed set, and a call brings a bounded number of tokens. A batch whose answer was lost on its
-- way comes again, and counts once.

local faults, window, tokens, taken = unpack(KEYS)
local most, seen_since, number = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

for _, key in ipairs({faults, window, tokens}) do require_type(key, 'hash') end
require_type(taken, 'string')
require_letter_types()
if (tonumber(redis.call('GET', taken) or '') or 0) >= number then return end
allow_writes_when_full()
redis.call('SET', taken, ARGV[6], 'EX', ARGV[7])

for field, tally in pairs(cjson.decode(ARGV[1])) do
  count_up(faults, field, tally[1])
  count_up(window, field, tally[1])
  redis.call('HSET', faults, field .. ':at', string.format('%.0f', tally[2]))
  if tally[3] ~= '' then redis.call('HSET', faults, field .. ':token', tally[3]) end
end
redis.call('EXPIREAT', window, ARGV[2])

local new = cjson.decode(ARGV[3])
if next(new) == nil then return end
for digest, tally in pairs(new) do
  count_up(tokens, digest, tally[1])
  redis.call('HSET', tokens, digest .. ':at', string.format('%.0f', tally[2]))
end

-- The least frequent go first, so that many invented tokens do not displace a drain that keeps sending.
local kept = {}
local found = redis.call('HGETALL', tokens)
local values = {}
for at = 1, #found, 2 do values[found[at]] = tonumber(found[at + 1]) or 0 end
for name, count in pairs(values) do
  if string.sub(name, -3) ~= ':at' then
    kept[#kept + 1] = {name = name, count = count, last = values[name .. ':at'] or 0}
  end
end
table.sort(kept, function(one, other)
  local is_old, other_is_old = one.last < seen_since, other.last < seen_since
  if is_old ~= other_is_old then return other_is_old end
  if one.count ~= other.count then return one.count > other.count end
  if one.last ~= other.last then return one.last > other.last end
  return one.name < other.name
end)
for place, token in ipairs(kept) do
  if place > most or token.last < seen_since then redis.call('HDEL', tokens, token.name, token.name .. ':at') end
end
