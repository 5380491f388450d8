-- What was measured of dynos and add-ons, and the states of dynos. In front of rows.lua, behind name_rows.lua;
-- what is kept and what a part has: app/store/gauge_rows.py.
--
-- <prefix><scope><digest><latest>   string, JSON: the latest values of a name
-- <prefix><scope><digest>:<chunk>   hash: number of a window -> MessagePack

local function limits_of_names(limits, most, silent_s)
  -- As digest_of_name takes them: the table of a kind has bounds of its own, and the name that gives way
  -- takes its latest values with it.
  return {
    prefix = limits.prefix, names = limits.names, digest_chars = limits.digest_chars,
    other_route = limits.other_route, name_totals = limits.gauges.latest, names_max = most, names_silent_s = silent_s,
  }
end

local function is_later(one, other)
  -- Both {Unix ms, value, ...}.
  return one[1] > other[1] or one[1] == other[1] and one[2] > other[2]
end

local function note_latest(key, gauge, kept_s, most)
  -- Returns the codes of the measures that there is no room for.
  local stored = redis.call('GET', key)
  local latest = stored and cjson.decode(stored) or { values = {}, left_out = 0 }
  local values, known, left_out, is_changed, refused = latest.values, 0, 0, not stored, {}
  for _ in pairs(values) do known = known + 1 end
  for _, told in ipairs(gauge.latest) do
    local name, value, code = told[1], { told[2], told[3], told[4] }, told[5]
    local before = values[name]
    if not before and known >= most then
      refused[code] = true
      left_out = left_out + 1
    elseif not before or is_later(value, before) then
      if not before then known = known + 1 end
      values[name] = value
      is_changed = true
    end
  end
  if left_out > latest.left_out then
    latest.left_out = left_out
    is_changed = true
  end
  if is_changed then redis.call('SET', key, cjson.encode(latest), 'EX', kept_s) end
  return refused
end

local function add_values(window, added, refused)
  for field, value in pairs(added) do
    local before = window[field]
    if refused[field] then
      -- It has no name among the latest values.
    elseif not before then
      window[field] = value
    elseif type(before) == 'table' and type(value) == 'table' then
      before[1], before[2] = before[1] + value[1], before[2] + value[2]
      before[3], before[4] = math.min(before[3], value[3]), math.max(before[4], value[4])
    elseif type(before) == type(value) then
      window[field] = before + value
    end
  end
end

local function add_gauge_chunk(key, chunk, refused)
  local expires_at, numbers, windows = chunk[2], chunk[3], chunk[4]
  local before = redis.call('HMGET', key, unpack(numbers))
  local whole, is_new = {}, true
  for at, number in ipairs(numbers) do
    local window = {}
    if before[at] then
      window, is_new = cmsgpack.unpack(before[at]), false
    end
    add_values(window, windows[at], refused)
    whole[2 * at - 1], whole[2 * at] = number, cmsgpack.pack(window)
  end
  is_new = is_new and redis.call('EXISTS', key) == 0
  redis.call('HSET', key, unpack(whole))
  if is_new then redis.call('EXPIREAT', key, expires_at) end
end

local function add_gauge(part, scope, limits)
  local gauge = part[1]
  local bounds = limits.gauges[gauge.kind]
  if not bounds then return end  -- of a later version
  local most, silent_s, kept_s, has_others = bounds[1], bounds[2], bounds[3], bounds[4]
  local digest = digest_of_name(gauge, scope, limits_of_names(limits, most, silent_s))
  local is_itself = digest == gauge.digest and gauge.name ~= limits.other_route
  if not is_itself and not has_others then return end
  local own, refused = limits.prefix .. scope .. digest, {}
  if is_itself and #gauge.latest > 0 then
    refused = note_latest(own .. limits.gauges.latest, gauge, kept_s, limits.gauges.measures_max)
  end
  for _, chunk in ipairs(gauge.chunks) do add_gauge_chunk(own .. ':' .. chunk[1], chunk, refused) end
end
