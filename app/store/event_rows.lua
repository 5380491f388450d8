-- Events of an app, added once each. In front of rows.lua; see app/store/event_rows.py.
--
-- <prefix><scope><events><table>               sorted set: id of a row -> its rank, Unix microseconds
-- <prefix><scope><events><table><event_facts>  hash: id -> `<base ms> <times> <JSON>`; bytes, floor, lost_ms
--
-- Whatever the order in which events come, what is left is the same: the rows above the floor, which is the
-- lowest one that leaves no more than `events_max` bytes.

local LOOKED_AT = 20  -- rows, when some may have to go

local function read_times(text)
  local listed, further, last = string.match(text, '^([%d,]+)%+?(%d*):?(%d*)$')
  local times = {}
  for time in string.gmatch(listed, '%d+') do times[#times + 1] = tonumber(time) end
  return times, tonumber(further) or 0, tonumber(last) or times[#times]
end

local function merged_times(kept, added, most)
  -- The first of both, how many more, and the last.
  local times, further, last = read_times(kept)
  local others, more, later = read_times(added)
  local is_there = {}
  for _, time in ipairs(times) do is_there[time] = true end
  for _, time in ipairs(others) do
    if not is_there[time] then times[#times + 1] = time end
  end
  table.sort(times)
  further = further + more + math.max(0, #times - most)
  local listed = table.concat(times, ',', 1, math.min(#times, most))
  if further == 0 then return listed end
  return listed .. string.format('+%.0f:%.0f', further, math.max(last, later))
end

local function merged_rows(kept, added, most)
  -- The row with the times of both, or nothing if these are there already.
  local head, times, facts = string.match(kept, '^(%d+ )(%S+)( .*)')
  local both = merged_times(times, string.match(added, '^%d+ (%S+)'), most)
  return both ~= times and head .. both .. facts
end

local function last_of(row)
  -- When its last event happened, Unix ms.
  local base, times = string.match(row, '^(%d+) (%S+)')
  local _, _, last = read_times(times)
  return tonumber(base) + last
end

local function bytes_of_event(row, limits)
  local _, head = string.find(row, '^%d+ %S+ ')
  return limits.event_row_bytes + #row - head
end

local function drop_oldest(index, hash, state, oldest, limits)
  -- Makes room, and forgets what was kept long enough.
  while true do
    local lowest = redis.call('ZRANGE', index, 0, state.bytes > state.most and LOOKED_AT - 1 or 0, 'WITHSCORES')
    local ids, ranks = {}, {}
    for at = 1, #lowest, 2 do ids[#ids + 1], ranks[#ranks + 1] = lowest[at], tonumber(lowest[at + 1]) end
    local dropped, rows = 0, nil
    for at, rank in ipairs(ranks) do
      local is_old = rank < oldest
      if not is_old and rank > state.floor and state.bytes <= state.most then break end
      rows = rows or redis.call('HMGET', hash, unpack(ids))
      dropped = at
      if rows[at] then state.bytes = state.bytes - bytes_of_event(rows[at], limits) end
      if not is_old then
        state.floor = rank
        if rows[at] then state.lost = math.max(state.lost, last_of(rows[at])) end
      end
    end
    if dropped == 0 then return end
    redis.call('ZREM', index, unpack(ids, 1, dropped))
    redis.call('HDEL', hash, unpack(ids, 1, dropped))
    if dropped < #ids then return end
  end
end

local function add_event(part, scope, limits)
  -- Rows of one table.
  local name, oldest, expires_at, ids, ranks, rows = unpack(part)
  local index = limits.prefix .. scope .. limits.events .. name
  local hash = index .. limits.event_facts
  local found = redis.call('HMGET', hash, 'bytes', 'floor', 'lost_ms', unpack(ids))
  -- Redis may evict either key, and a table is nothing without both. (What someone else has there stays: these
  -- commands refuse it.)
  if redis.call('ZCARD', index) == 0 or not found[1] then
    redis.call('UNLINK', index, hash)
    found = {}
  end
  local state = {
    bytes = tonumber(found[1] or 0), floor = tonumber(found[2] or 0), lost = tonumber(found[3] or 0),
    most = limits.events_max[name],
  }
  local ranked, kept = {}, {}
  for at, id in ipairs(ids) do
    local row, before = rows[at], found[at + 3]
    if before then
      row = merged_rows(before, row, limits.event_times)
    elseif ranks[at] > state.floor then
      ranked[#ranked + 1], ranked[#ranked + 2] = string.format('%.0f', ranks[at]), id
      state.bytes = state.bytes + bytes_of_event(row, limits)
    else
      state.lost, row = math.max(state.lost, last_of(row)), nil
    end
    if row then kept[#kept + 1], kept[#kept + 2] = id, row end
  end
  if #ranked > 0 then redis.call('ZADD', index, unpack(ranked)) end  -- first: its key may be someone else's
  if #kept > 0 then redis.call('HSET', hash, unpack(kept)) end
  if #ranked > 0 then
    drop_oldest(index, hash, state, oldest, limits)
    redis.call('EXPIREAT', index, expires_at)
  end
  redis.call('HSET', hash, 'bytes', string.format('%.0f', state.bytes),
    'floor', string.format('%.0f', state.floor), 'lost_ms', string.format('%.0f', state.lost))
  if #ranked > 0 then redis.call('EXPIREAT', hash, expires_at) end
end
