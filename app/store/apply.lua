-- The atomic step of the metrics worker: settle the claim, then add the batch's rows.
--
-- ARGV[1]: the claim, ARGV[2]: the batch (see app/store/apply.py), both JSON; then
-- `batch.portions` portions of rows, then the dead letters. Keys are in the batch: `journal`, `apps_key`,
-- `totals_key`; those of the rows are derived in rows.lua. Portions beyond what one step may cost go to
-- the journal as they are, in this same step: from then on they belong to the figures, and whoever adds
-- them does so once (journal.lua). `kept_key` is a list of `kept` further ones, or empty.
-- Returns the answer of settle, portions left in the journal, units done, how many parts Redis
-- refused, and its words on the first of them.

local claim = cjson.decode(ARGV[1])
local batch = cjson.decode(ARGV[2])
limits = batch.limits

if batch.kept > 0 and call('LLEN', batch.kept_key) ~= batch.kept then
  return redis.error_reply('ERR the portions of the batch are not there any more: ' .. batch.kept_key)
end

local answer = settle(claim)
if answer == 'stale' then return { answer, 0, 0, 0, '' } end

local next, last, done = 3, batch.portions + 2, 0
while next <= last do
  local units = units_of(ARGV[next])
  if done > 0 and done + units > batch.units_max then break end
  next, done = next + 1, done + add_portion(ARGV[next])
end
for from = next, last, FIELDS_AT_ONCE do
  call('RPUSH', batch.journal, unpack(ARGV, from, math.min(from + FIELDS_AT_ONCE - 1, last)))
end
if batch.kept > 0 then
  call('PERSIST', batch.kept_key)
  call('RPUSH', batch.journal, '@' .. batch.kept_key)
end

attempt(keep_dead_letters, ARGV, last + 1)
attempt(add_counts, batch.apps_key, batch.apps)
attempt(add_counts, batch.totals_key, batch.totals)
count_refused(batch.totals_key)
return { answer, last - next + 1 + math.min(batch.kept, 1), done, refused, first_fault }
