-- Which row a dyno or host counts in, and which names an app has. In front of rows.lua.
--
-- <prefix><scope><names><kind>          sorted set: name -> when it was last seen, Unix s
-- <prefix><scope><digest><name_totals>  hash of a name's totals
--
-- An app keeps `names_max` names of a kind, and `(other)`. Deploys bring new names without end, so in a full table
-- the name that was seen longest ago gives way to a new one, if it had not been seen for `names_kept_s` when
-- that one came. Time is that of the lines, not of a clock: what a worker counts late gives the same. The
-- windows of a forgotten name expire by themselves.

local SEEN_STEP_S = 60  -- when a name was last seen is known to this step: most steps write nothing

local function note_name(names, name, last_s)
  -- Returns whether the name is in the table.
  local before = redis.call('ZSCORE', names, name)
  if not before then return false end
  if last_s - before >= SEEN_STEP_S then redis.call('ZADD', names, last_s, name) end
  return true
end

local function digest_of_name(row, scope, limits)
  -- The row's own, or that of `(other)` where the table is full.
  local names, other = limits.prefix .. scope .. limits.names .. row.kind, limits.other_route
  if note_name(names, row.name, row.last_s) then return row.digest end

  local function digest_of_kind(name)
    local start = string.match(row.digest, '^%a+%-')
    return start .. string.sub(redis.sha1hex(name), 1, limits.digest_chars - #start)
  end

  local others = redis.call('ZSCORE', names, other) and 1 or 0
  if row.name ~= other and redis.call('ZCARD', names) - others >= limits.names_max then
    local unseen_since = '(' .. string.format('%d', row.last_s - limits.names_kept_s)
    local unseen = redis.call('ZRANGEBYSCORE', names, '-inf', unseen_since, 'LIMIT', 0, 1)[1]
    if not unseen then
      if not note_name(names, other, row.last_s) then redis.call('ZADD', names, row.last_s, other) end
      return digest_of_kind(other)
    end
    redis.call('ZREM', names, unseen)
    redis.call('UNLINK', limits.prefix .. scope .. digest_of_kind(unseen) .. limits.name_totals)
  end
  redis.call('ZADD', names, row.last_s, row.name)
  return row.digest
end
