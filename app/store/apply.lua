-- The one atomic step of the metrics worker: settle the claim, then add the batch's rows.
-- ARGV[1]: the claim, ARGV[2]: the batch (see app/store/apply.py), both JSON; then the dead letters.
-- Returns the answer of settle, how many parts Redis refused, and its words on the first of them.

local claim = cjson.decode(ARGV[1])
local batch = cjson.decode(ARGV[2])

local answer = settle(claim)
if answer == 'stale' then return {answer, 0, ''} end

local function plain(number)
  -- '12', '12.5', '12.345': at most three decimals, for sums are kept in whole microseconds.
  return (string.format('%.3f', number):gsub('%.?0+$', ''))
end

local function add_times(key, times)
  -- The talk's demo reads, changes and writes these in three steps; here it is one.
  if times[2] == 0 then return end
  local count = redis.call('HINCRBY', key, 'count', times[2])
  local before = tonumber(redis.call('HGET', key, 'sum') or '0')
  local sum_us = math.floor(before * 1000 + 0.5) + times[1]
  redis.call('HSET', key, 'sum', plain(sum_us / 1000), 'average', plain(sum_us / 1000 / count))
end

local FIELDS_AT_ONCE = 1000  -- unpack() takes some thousand arguments at most
local EXACT = 2 ^ 53         -- whole numbers below are exact in Lua

local format, tonumber, call = string.format, tonumber, redis.call
local written = {}

local function add_counts(key, counts)
  -- counts: {fields, what to add to each}. All are read at once and written at once: a call from
  -- a script costs more than the sum, so HINCRBY for each would take five times as long.
  local fields, added = counts[1], counts[2]
  for from = 1, #fields, FIELDS_AT_ONCE do
    local to = math.min(from + FIELDS_AT_ONCE - 1, #fields)
    local before = call('HMGET', key, unpack(fields, from, to))
    local size = 0
    for at = from, to do
      local sum = tonumber(before[at - from + 1] or 0)
      if not sum or sum % 1 ~= 0 then error({err = 'ERR hash value is not an integer: ' .. key}) end
      sum = sum + added[at]
      if sum >= EXACT then
        call('HINCRBY', key, fields[at], format('%d', added[at]))
      else
        written[size + 1], written[size + 2] = fields[at], format('%d', sum)
        size = size + 2
      end
    end
    if size > 0 then call('HSET', key, unpack(written, 1, size)) end
  end
end

local function add_bounded(key, counts)
  -- Dynos and hosts: a field for each, until there are so many that they say nothing any more.
  local fields, added = counts[1], counts[2]
  if redis.call('HLEN', key) + #fields <= batch.names_max then return add_counts(key, counts) end
  for at, field in ipairs(fields) do
    if redis.call('HLEN', key) >= batch.names_max and redis.call('HEXISTS', key, field) == 0 then
      field = '(other)'
    end
    redis.call('HINCRBY', key, field, added[at])
  end
end

local function raise(key, field, value)
  local before = redis.call('HGET', key, field)
  if not before or tonumber(before) < value then redis.call('HSET', key, field, plain(value)) end
end

local function add_chunk(key, expires_at, numbers, counts)
  -- Windows, and for each {fields, what to add to each}: read and written whole, as keys.py says.
  local before = call('HMGET', key, unpack(numbers))
  local whole, is_new = {}, true
  for at, number in ipairs(numbers) do
    is_new = is_new and not before[at]
    local sums = before[at] and cmsgpack.unpack(before[at]) or {}
    local fields, added = counts[at][1], counts[at][2]
    for i, field in ipairs(fields) do sums[field] = (sums[field] or 0) + added[i] end
    whole[2 * at - 1], whole[2 * at] = number, cmsgpack.pack(sums)
  end
  is_new = is_new and call('EXISTS', key) == 0
  call('HSET', key, unpack(whole))
  if is_new then call('EXPIREAT', key, expires_at) end
end

local function add_row(row)
  local digest = row.digest
  if row.route ~= cjson.null then
    local routes = row.scope .. 'routes'
    if redis.call('HEXISTS', routes, row.route) == 0 then
      if redis.call('HLEN', routes) >= batch.routes_max then
        digest = batch.other_digest
        redis.call('HSETNX', routes, batch.other_route, digest)
      else
        redis.call('HSET', routes, row.route, digest)
      end
    end
    local seed = row.scope .. digest .. '::'
    add_times(seed .. 'service', row.service)
    add_times(seed .. 'connect', row.connect)
    add_counts(seed .. 'statuses', row.statuses)
  end
  local own = 'tailrace:' .. row.scope .. digest
  add_counts(own .. ':mix', row.mix)
  add_counts(own .. ':service', row.service_sketch)
  add_counts(own .. ':connect', row.connect_sketch)
  if row.service[2] > 0 then raise(own .. ':mix', 'max_service', row.service_max) end
  if row.connect[2] > 0 then raise(own .. ':mix', 'max_connect', row.connect_max) end
  add_bounded(own .. ':dynos', row.dynos)
  add_bounded(own .. ':hosts', row.hosts)
  local short = 'tailrace:' .. row.scope .. string.sub(digest, 1, 16) .. ':'
  for _, chunk in ipairs(row.chunks) do add_chunk(short .. chunk[1], chunk[2], chunk[3], chunk[4]) end
end

local function add_dead_letters() keep_dead_letters(ARGV, 3) end

-- A script has no way back once it has written. What Redis refuses, such as a key that someone
-- else uses for another type, must not keep the rest of the batch from being counted.
local refused, first_fault = 0, ''
local function attempt(step, argument)
  local done, fault = pcall(step, argument)
  if done then return end
  refused = refused + 1
  if refused == 1 then first_fault = type(fault) == 'table' and fault.err or tostring(fault) end
end

for _, row in ipairs(batch.rows) do attempt(add_row, row) end
attempt(add_dead_letters)
attempt(function() add_counts('tailrace:apps', batch.apps) end)
attempt(function()
  local totals = 'tailrace:group:' .. batch.group
  add_counts(totals, batch.totals)
  if refused > 0 then redis.call('HINCRBY', totals, 'refused', refused) end
end)
return {answer, refused, first_fault}
