-- Adds the figures of retired rows to those of other rows (rows.lua is in front).
--
-- KEYS: moves. ARGV[1]: limits, see rows.lua; ARGV[2]: units that the step may cost; ARGV[3]: JSON {scope_of_app: what
-- stands in front of the keys of the app `*`, chunks, samples: names of all that may be there, times, counts, bounded: hashes
-- of a row's totals}
-- Returns {moves left, units done, parts that Redis refused, its words on the first of them}.
--
-- Each hash is added and removed in this script, so exactly once. A row that costs too much for one step
-- is moved by several; what was moved is not there any more. What is counted meanwhile under the old row
-- (by a worker that did not know yet) is in the table again as a row of its own.

limits = cjson.decode(ARGV[1])
local most, plan, done = tonumber(ARGV[2]), cjson.decode(ARGV[3]), 0

local function pairs_in(flat)
  local fields, counts = {}, {}
  for at = 1, #flat, 2 do fields[#fields + 1], counts[#counts + 1] = flat[at], tonumber(flat[at + 1]) end
  return { fields, counts }
end

local function move_hash(from, to, add)
  -- Adds a whole hash by `add`, and removes it.
  local flat = call('HGETALL', from)
  if #flat == 0 then return end
  add(to, pairs_in(flat))
  call('DEL', from)
  done = done + #flat / 2
end

local function move_times(from, to)
  local sum, count = unpack(call('HMGET', from, 'sum', 'count'))
  if not sum then return end
  add_times(to, { math.floor(tonumber(sum) * 1000 + 0.5), tonumber(count) })
  call('DEL', from)
end

local function add_mix(key, mix)
  -- Counts are added; of maxima and times, the largest stays.
  local fields, counts = {}, {}
  for at, field in ipairs(mix[1]) do
    if string.sub(field, 1, 4) == 'max_' or field == limits.last_seen then
      raise(key, field, mix[2][at])
    elseif field ~= limits.promoted then
      fields[#fields + 1], counts[#counts + 1] = field, mix[2][at]
    end
  end
  add_counts(key, { fields, counts })
end

local function move_chunk(from, to)
  local left_ms = call('PTTL', from)
  if left_ms == -2 then return end
  local flat = call('HGETALL', from)
  local numbers, is_new = {}, call('EXISTS', to) == 0
  for at = 1, #flat, 2 do numbers[#numbers + 1] = flat[at] end
  local before, whole = call('HMGET', to, unpack(numbers)), {}
  for at, number in ipairs(numbers) do
    local added = flat[2 * at]
    if before[at] then added = sum_of(before[at], added) end
    whole[2 * at - 1], whole[2 * at] = number, added
    done = done + 20 + math.floor(#added / BYTES_A_UNIT)
  end
  call('HSET', to, unpack(whole))
  if is_new and left_ms >= 0 then call('PEXPIRE', to, left_ms) end
  call('DEL', from)
end

local function move_windows(from, to)
  -- Returns false where the step has cost enough.
  for _, chunk in ipairs(plan.chunks) do
    if done >= most then return false end
    attempt(move_chunk, from .. chunk, to .. chunk)
  end
  done = done + 20
  return true
end

local function move_sampled(from, to, found)
  -- A chunk of samples, of which both rows keep the same span of time.
  if call('EXISTS', to) == 0 then return call('RENAME', from, to) end
  local slowest, failed = unpack(cmsgpack.unpack(found))
  local expires_at = tonumber(call('TIME')[1]) + math.ceil(call('PTTL', from) / 1000)
  add_samples(to, expires_at, slowest, failed)
  call('DEL', from)
end

local function move_samples(from, to)
  local names = {}
  for at, chunk in ipairs(plan.samples) do names[at] = from .. chunk end
  for at, found in ipairs(call('MGET', unpack(names))) do
    if found then
      attempt(move_sampled, names[at], to .. plan.samples[at], found)
      done = done + 20
    end
  end
end

local function move_paths(route, from, to)
  -- A row that stood for one path is one of the paths of the other row.
  local count = call('HGET', from .. limits.mix, 'count')
  if call('EXISTS', from .. limits.paths) == 1 then
    move_hash(from .. limits.paths, to .. limits.paths, add_paths)
  elseif count then
    add_paths(to .. limits.paths, { { route }, { tonumber(count) } })
  end
end

local function move_totals(talk_from, talk_to, from, to)
  for _, hash in ipairs(plan.times) do attempt(move_times, talk_from .. hash, talk_to .. hash) end
  for _, hash in ipairs(plan.counts) do
    if string.sub(hash, 1, 2) == '::' then
      attempt(move_hash, talk_from .. hash, talk_to .. hash, add_counts)
    else
      attempt(move_hash, from .. hash, to .. hash, hash == limits.mix and add_mix or add_counts)
    end
  end
  for _, hash in ipairs(plan.bounded) do attempt(move_hash, from .. hash, to .. hash, add_bounded) end
end

local function move_row(move)
  -- Returns whether all of it is moved.
  local scope = move.app == '' and '' or (string.gsub(plan.scope_of_app, '%*', move.app))
  if move.from == move.to then return true end
  local function short(digest)
    return limits.prefix .. scope .. string.sub(digest, 1, limits.digest_chars) .. ':'
  end
  if not move_windows(short(move.from), short(move.to)) then return false end
  attempt(move_samples, short(move.from), short(move.to))
  local own = limits.prefix .. scope
  attempt(move_paths, move.route, own .. move.from, own .. move.to)
  move_totals(scope .. move.from, scope .. move.to, own .. move.from, own .. move.to)
  done = done + 20
  return true
end

while done < most do
  local text = call('LINDEX', KEYS[1], 0)
  if not text then break end
  local move = cjson.decode(text)
  -- A Redis that is full refuses this write, before anything of the row is moved.
  call('LSET', KEYS[1], 0, text)
  if not move_row(move) then break end
  call('LPOP', KEYS[1])
end
return { call('LLEN', KEYS[1]), math.floor(done), refused, first_fault }
