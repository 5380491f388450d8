-- Frame events, recorded once per frame: what its sender reports, and dead letters. dead_letters.lua is in front.
-- KEYS: markers:new, markers:old, losses, one window of losses, reports, one window of reports
-- ARGV: marker of the frame, markers remembered per generation, seconds they are kept, app,
--       JSON of {losses = {{code, app, messages, identity}, ...}, reports = {kind = count}},
--       expiry of the windows (Unix s), fields that a hash has at most, the name of what comes after, then the letters
--
-- A script cannot take back what it wrote, so it writes only once nothing can fail any more, and
-- the marker last: whatever goes wrong, the same frame may come again and counts once.

local new, old, losses, loss_window, reports, report_window = unpack(KEYS)
local marker, app, told = ARGV[1], ARGV[4], cjson.decode(ARGV[5])
local fields_max, other = tonumber(ARGV[7]), ARGV[8]

local function is_known(name)
  return redis.call('SISMEMBER', old, name) == 1 or redis.call('SISMEMBER', new, name) == 1
end

local function count_in(key, prefix, name, added)
  -- Senders choose names of apps, so each hash has a bound.
  local field = prefix .. name
  if redis.call('HEXISTS', key, field) == 0 and redis.call('HLEN', key) >= fields_max then field = prefix .. other end
  count_up(key, field, added)
end

if is_known(marker) then return 0 end
for _, key in ipairs({losses, loss_window, reports, report_window}) do require_type(key, 'hash') end
require_letter_types()

allow_writes_when_full()  -- all that follows is bounded, also by itself
keep_dead_letters(ARGV, 9)
for _, loss in ipairs(told.losses) do
  local code, whose, messages, identity = unpack(loss)
  if messages > 0 and (identity == '' or not is_known(identity)) then
    count_up(letters.counts, 'lost:' .. code, messages)
    count_in(losses, '', whose, messages)
    count_in(loss_window, '', whose, messages)
    redis.call('EXPIREAT', loss_window, ARGV[6])
    if identity ~= '' then redis.call('SADD', new, identity) end
  end
end
for kind, count in pairs(told.reports) do
  if count > 0 then
    count_in(reports, kind .. ' ', app, count)
    count_in(report_window, kind .. ' ', app, count)
    redis.call('EXPIREAT', report_window, ARGV[6])
  end
end
redis.call('SADD', new, marker)
redis.call('EXPIRE', new, ARGV[3])
if redis.call('SCARD', new) >= tonumber(ARGV[2]) then redis.call('RENAME', new, old) end
return 1
