-- How the rows of a batch are added to the figures. Shared by apply.lua and journal.lua.
--
-- Rows and portions: see app/store/rows.py; those of dynos and hosts are in name_rows.lua, those of
-- the platform in event_rows.lua and gauge_rows.lua, in front of this.
-- `limits`: {prefix, routes, digest_chars, mix, paths, names_max, paths_max, routes_max, other_route,
-- other_digest, not_found_route, slowest_max, failed_max, ...}, see limits() in app/store/apply.py. Keys that
-- are derived here, as
-- app/store/keys.py names them (`<hash>` is a name of app/store/schema.py with its colons):
--
--   <scope>routes                        hash: route -> digest
--   <scope><digest><::hash>              hash of the talk, for routes alone
--   <prefix><scope><digest><:hash>       hash of a row's other totals
--   <prefix><scope><short digest>:<chunk>  hash: number of a window -> MessagePack
--   <prefix><scope><short digest>:<chunk of samples>  string, see app/store/samples.py

local FIELDS_AT_ONCE = 1000  -- unpack() takes some thousand arguments at most
local EXACT = 2 ^ 53         -- whole numbers below are exact in Lua
local BYTES_A_UNIT = 30      -- of a stored window, which is read and written whole

local format, tonumber, call = string.format, tonumber, redis.call
local written = {}
local limits
local read_units = 0         -- what windows had in them: the worker cannot know it beforehand

local function plain(number)
  -- '12', '12.5', '12.345': at most three decimals, because sums are kept in whole microseconds.
  return (format('%.3f', number):gsub('%.?0+$', ''))
end

local function add_times(key, times)
  -- The talk's demo reads, changes and writes these in three steps; here it is one.
  if times[2] == 0 then return end
  local count = call('HINCRBY', key, 'count', times[2])
  local before = tonumber(call('HGET', key, 'sum') or '0')
  local sum_us = math.floor(before * 1000 + 0.5) + times[1]
  call('HSET', key, 'sum', plain(sum_us / 1000), 'average', plain(sum_us / 1000 / count))
end

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
  -- Dynos and hosts: a field for each, until there are too many to be useful.
  local fields, added = counts[1], counts[2]
  local known = call('HLEN', key)
  if known + #fields <= limits.names_max then return add_counts(key, counts) end
  local kept, sums, other = {}, {}, 0
  for from = 1, #fields, FIELDS_AT_ONCE do
    local to = math.min(from + FIELDS_AT_ONCE - 1, #fields)
    local before = call('HMGET', key, unpack(fields, from, to))
    for at = from, to do
      local is_known = before[at - from + 1]
      if fields[at] == limits.other_route or not is_known and known >= limits.names_max then
        other = other + added[at]
      else
        if not is_known then known = known + 1 end
        kept[#kept + 1], sums[#sums + 1] = fields[at], added[at]
      end
    end
  end
  if other > 0 then kept[#kept + 1], sums[#sums + 1] = limits.other_route, other end
  add_counts(key, { kept, sums })
end

local function add_paths(key, counts)
  -- The most frequent of endlessly many names, in paths_max fields: a summary of Misra and Gries ("Finding
  -- repeated elements", 1982), merged as Agarwal and others do ("Mergeable summaries", 2012). A count is too
  -- small by at most 1 / (paths_max + 1) of all that was counted, never too large.
  local fields, added = counts[1], counts[2]
  local most = limits.paths_max
  if call('HLEN', key) + #fields <= most then return add_counts(key, counts) end
  local sums, sorted = {}, {}
  local flat = call('HGETALL', key)
  for at = 1, #flat, 2 do sums[flat[at]] = tonumber(flat[at + 1]) end
  for at, field in ipairs(fields) do sums[field] = (sums[field] or 0) + added[at] end
  for _, count in pairs(sums) do sorted[#sorted + 1] = count end
  table.sort(sorted, function(one, other) return one > other end)
  local cut = sorted[most + 1] or 0
  local kept, counted = {}, {}
  for field, count in pairs(sums) do
    if count > cut then kept[#kept + 1], counted[#counted + 1] = field, count - cut end
  end
  call('DEL', key)
  add_counts(key, { kept, counted })
end

local function raise(key, field, value)
  local before = call('HGET', key, field)
  if not before or tonumber(before) < value then call('HSET', key, field, plain(value)) end
end

local function sum_of(window, other)
  -- Of two windows, as Redis stores them.
  local sums = cmsgpack.unpack(window)
  for field, count in pairs(cmsgpack.unpack(other)) do sums[field] = (sums[field] or 0) + count end
  return cmsgpack.pack(sums)
end

local function add_chunk(key, chunk, windows, from)
  -- Windows as MessagePack, one after the other from that byte of `windows`; returns where the next
  -- one begins. What is there already is read, added to and written whole.
  local expires_at, numbers, sizes = chunk[2], chunk[3], chunk[4]
  local before = call('HMGET', key, unpack(numbers))
  local whole, is_new = {}, true
  for at, number in ipairs(numbers) do
    local added = string.sub(windows, from, from + sizes[at] - 1)
    from = from + sizes[at]
    if before[at] then
      is_new = false
      read_units = read_units + math.floor(#before[at] / BYTES_A_UNIT)
      added = sum_of(before[at], added)
    end
    whole[2 * at - 1], whole[2 * at] = number, added
  end
  is_new = is_new and call('EXISTS', key) == 0
  call('HSET', key, unpack(whole))
  if is_new then call('EXPIREAT', key, expires_at) end
  return from
end

local function largest(kept, added, by, most)
  -- Of two lists of samples, each with the largest first, the largest ones; and whether any is of `added`.
  -- A sample is three values, of which the one at `by` is compared.
  local both, i, j = {}, 1, 1
  for at = 1, 3 * most, 3 do
    local from, place = kept, i
    if added[j] and (not kept[i] or added[j + by] > kept[i + by]) then
      from, place, j = added, j, j + 3
    elseif kept[i] then
      i = i + 3
    else
      break
    end
    both[at], both[at + 1], both[at + 2] = from[place], from[place + 1], from[place + 2]
  end
  return both, j > 1
end

local function add_samples(key, expires_at, slowest, failed)
  local before = call('GET', key)
  local kept = before and cmsgpack.unpack(before) or { {}, {} }
  local has_slower, has_later
  slowest, has_slower = largest(kept[1], slowest, 1, limits.slowest_max)
  failed, has_later = largest(kept[2], failed, 0, limits.failed_max)
  if has_slower or has_later then
    call('SET', key, cmsgpack.pack({ slowest, failed }), 'EXAT', expires_at)
  end
end

local function is_full(routes)
  -- The rows that stand for many paths are beyond the bound.
  local many = call('HEXISTS', routes, limits.other_route) + call('HEXISTS', routes, limits.not_found_route)
  return call('HLEN', routes) - many >= limits.routes_max
end

local function digest_of(row, scope)
  -- The row's own, or that of `(other)` once the app has its number of routes.
  if row.route == cjson.null then return row.digest end
  local routes = scope .. limits.routes
  if call('HEXISTS', routes, row.route) == 1 then return row.digest end
  local stands_for_many = row.route == limits.other_route or row.route == limits.not_found_route
  if not stands_for_many and is_full(routes) then
    call('HSETNX', routes, limits.other_route, limits.other_digest)
    return limits.other_digest
  end
  call('HSET', routes, row.route, row.digest)
  return row.digest
end

local function add_totals(row, talk, own)
  for hash, times in pairs(row.times) do
    if row.route ~= cjson.null then add_times(talk .. hash, times) end
  end
  for hash, counts in pairs(row.counts) do
    local is_of_talk = string.sub(hash, 1, 2) == '::'
    if not is_of_talk then
      add_counts(own .. hash, counts)
    elseif row.route ~= cjson.null then
      add_counts(talk .. hash, counts)
    end
  end
  for field, value in pairs(row.maxima) do raise(own .. limits.mix, field, value) end
  for hash, counts in pairs(row.bounded) do add_bounded(own .. hash, counts) end
  if row.paths then add_paths(own .. limits.paths, row.paths) end
end

-- A script cannot roll back once it has written. What Redis refuses, such as a key that someone
-- else uses for another type, must not keep the rest of the batch from being counted.
local refused, first_fault = 0, ''
local function attempt(step, ...)
  local done, fault = pcall(step, ...)
  if done then return end
  refused = refused + 1
  if refused == 1 then first_fault = type(fault) == 'table' and fault.err or tostring(fault) end
end

local function add_row(row, scope, windows, from)
  -- To one of its scopes. `windows`, from that byte on: those of the row.
  if row.events then
    for _, event in ipairs(row.events) do attempt(add_event, event, scope, limits) end
    return
  end
  if row.gauges then
    for _, gauge in ipairs(row.gauges) do attempt(add_gauge, gauge, scope, limits) end
    return
  end
  local digest = row.kind and digest_of_name(row, scope, limits) or digest_of(row, scope)
  if row.counts then add_totals(row, scope .. digest, limits.prefix .. scope .. digest) end
  local short = limits.prefix .. scope .. string.sub(digest, 1, limits.digest_chars) .. ':'
  for _, chunk in ipairs(row.chunks) do from = add_chunk(short .. chunk[1], chunk, windows, from) end
  if row.samples and row.samples[1] == scope then
    for _, chunk in ipairs(row.samples[2]) do add_samples(short .. chunk[1], chunk[2], chunk[3], chunk[4]) end
  end
end

local function units_of(portion)
  -- What a portion costs is its first number, known without a look at its rows.
  return tonumber(string.match(portion, '^%d+'))
end

local function bytes_of(row)
  -- What its windows take.
  local bytes = 0
  for _, chunk in ipairs(row.chunks) do
    for _, size in ipairs(chunk[4]) do bytes = bytes + size end
  end
  return bytes
end

local function add_portion(portion)
  -- Returns what it cost in units.
  read_units = 0
  local _, head, size = string.find(portion, '^%d+ (%d+) ')
  local windows = string.sub(portion, head + size + 1)
  local from = 1
  for _, row in ipairs(cjson.decode(string.sub(portion, head + 1, head + size))) do
    for _, scope in ipairs(row.scopes) do attempt(add_row, row, scope, windows, from) end
    from = from + bytes_of(row)
  end
  return units_of(portion) + read_units
end

local function count_refused(totals)
  if refused > 0 then redis.pcall('HINCRBY', totals, 'refused', refused) end
end
