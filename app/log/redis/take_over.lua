-- Lets a reader join its group, and gives it the entries of readers that are gone.
--
-- KEYS: stream, meta, gone (entries of the group that the bound trimmed while a reader held them), settled
--       (what the group has settled, as settle.lua notes it)
-- ARGV: group, consumer, start ('0' or '$'), lease prefix, lease in ms
-- Returns what it found, and a number of messages. joined: the group. created: none, a new group. resumed: the
-- group had been destroyed while the stream stood, and goes on where it was; so many were lost meanwhile.
-- forgotten: destroyed, and where it was is not known; so many that it had read are kept, and may count twice.
-- removed: the stream had been removed, and with it so many that the group had not read.

local stream, meta, gone, settled = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local group, consumer, start, prefix, lease_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

-- The names in what XINFO answers: a list of lists of field, value, ...
local function names(infos)
  local found = {}
  for _, info in ipairs(infos) do
    for i = 1, #info, 2 do
      if info[i] == 'name' then found[#found + 1] = info[i + 1] end
    end
  end
  return found
end

local function field(list, name)
  for i = 1, #list, 2 do
    if list[i] == name then return list[i + 1] end
  end
end

local function has_group()
  if redis.call('EXISTS', stream) == 0 then return false end
  for _, name in ipairs(names(redis.call('XINFO', 'GROUPS', stream))) do
    if name == group then return true end
  end
  return false
end

local function create_group()
  redis.call('DEL', settled)
  redis.call('XGROUP', 'CREATE', stream, group, start, 'MKSTREAM')
  -- A group that starts at the end, or after the log was trimmed, is not behind by what it skips.
  local added = tonumber(redis.call('HGET', meta, 'added') or '0')
  local kept = tonumber(redis.call('HGET', meta, 'kept') or '0')
  redis.call('HSET', meta, 'read:' .. group, start == '0' and added - kept or added)
end

-- What the group has settled of this stream, as sortable ids; nothing where that is not known, or where the
-- stream is another one: ids never go back in one stream.
local function settled_ids()
  if redis.call('EXISTS', stream) == 0 then return {} end
  local known = redis.call('ZRANGEBYLEX', settled, '-', '+')
  local newest = sortable(field(redis.call('XINFO', 'STREAM', stream), 'last-generated-id'))
  return #known > 0 and known[#known] <= newest and known or {}
end

-- Messages of this entry.
local function messages_in(entry)
  return tonumber(field(entry[2], 'n')) or 1
end

-- Makes the group anew at the last entry that is settled. What lies before it and is not was held by some
-- reader when the group was destroyed: this reader gets it, and the other one's claim is stale. Only what
-- readers held is looked at, entry by entry.
local function resume_group(known)
  local done = from_sortable(known[1])
  redis.call('XGROUP', 'CREATE', stream, group, from_sortable(known[#known]))
  for at = 2, #known do
    local after, before = from_sortable(known[at - 1]), from_sortable(known[at])
    for _, entry in ipairs(redis.call('XRANGE', stream, '(' .. after, '(' .. before)) do
      redis.call('XCLAIM', stream, group, consumer, 0, entry[1], 'FORCE', 'JUSTID')
    end
  end
  -- The bound drops the oldest first. Where an entry is left that was settled before all others, it has
  -- dropped nothing unread. Where none is, the group has still to read all that is kept, but for `known`.
  local lost = 0
  if #redis.call('XRANGE', stream, '-', done, 'COUNT', 1) == 0 then
    local counts = redis.call('HMGET', meta, 'added', 'kept', 'read:' .. group, 'lost:' .. group)
    local unread = tonumber(counts[2] or 0)
    for at = 2, #known do
      local id = from_sortable(known[at])
      local entry = redis.call('XRANGE', stream, id, id)[1]
      if entry then unread = unread - messages_in(entry) end
    end
    lost = tonumber(counts[1] or 0) - unread - tonumber(counts[3] or 0) - tonumber(counts[4] or 0)
    if lost > 0 then redis.call('HINCRBY', meta, 'lost:' .. group, lost) else lost = 0 end
  end
  redis.call('DEL', gone)
  return { 'resumed', lost }
end

-- Makes the set of a group that has none yet: a new one, or one of an earlier version.
local function note_settled()
  if redis.call('EXISTS', settled) == 1 then return end
  local last
  for _, info in ipairs(redis.call('XINFO', 'GROUPS', stream)) do
    if field(info, 'name') == group then last = field(info, 'last-delivered-id') end
  end
  local pending = redis.call('XPENDING', stream, group)
  if pending[1] == 0 then
    redis.call('ZADD', settled, 0, sortable(last))
    return
  end
  local held, after = {}, '-'
  while true do
    local some = redis.call('XPENDING', stream, group, after, '+', 500)
    if #some == 0 then break end
    for _, entry in ipairs(some) do held[entry[1]] = true end
    after = '(' .. some[#some][1]
  end
  redis.call('ZADD', settled, 0, sortable(id_before(pending[2])))
  after = pending[2]
  while true do
    local some = redis.call('XRANGE', stream, after, last, 'COUNT', 50)
    if #some == 0 then break end
    for _, entry in ipairs(some) do
      if not held[entry[1]] then redis.call('ZADD', settled, 0, sortable(entry[1])) end
    end
    after = '(' .. some[#some][1]
  end
end

local function give_sign_of_life()
  redis.call('SET', prefix .. consumer, '1', 'PX', lease_ms)
  -- The group's: append.lua drops nothing that a running group has still to read.
  local time = redis.call('TIME')
  redis.call('HSET', meta, 'seen:' .. group, tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
end

local function is_trimmed(id)
  return #redis.call('XRANGE', stream, id, id) == 0
end

-- An entry that the bound has trimmed cannot be read any more: acknowledged, and counted lost.
local function count_lost(id)
  redis.call('XACK', stream, group, id)
  redis.call('HINCRBY', meta, 'lost:' .. group, redis.call('HGET', gone, id) or 1)
  redis.call('HDEL', gone, id)
end

-- What is pending for the consumer `name` is pending for this one from now on.
local function take_pending_of(name)
  local after = '-'
  while true do
    local pending = redis.call('XPENDING', stream, group, after, '+', 500, name)
    if #pending == 0 then return end
    for _, entry in ipairs(pending) do
      local id = entry[1]
      if is_trimmed(id) then
        count_lost(id)
      elseif name ~= consumer then
        redis.call('XCLAIM', stream, group, consumer, 0, id, 'JUSTID')
      end
    end
    after = '(' .. pending[#pending][1]
  end
end

-- Of a group that the log's counts know, but not where it stood.
local function without_position()
  local counts = redis.call('HMGET', meta, 'added', 'kept', 'lost:' .. group, 'read:' .. group)
  if not counts[4] then return { 'created', 0 } end
  local added, kept, lost = tonumber(counts[1] or 0), tonumber(counts[2] or 0), tonumber(counts[3] or 0)
  local unread = added - tonumber(counts[4]) - lost
  if redis.call('EXISTS', stream) == 0 then return { 'removed', math.max(0, unread) } end
  if start ~= '0' then return { 'created', 0 } end
  return { 'forgotten', math.max(0, kept - unread) }
end

local answer = { 'joined', 0 }
if not has_group() then
  local known = settled_ids()
  if #known > 0 then
    answer = resume_group(known)
  else
    answer = without_position()
    create_group()
  end
end
note_settled()
give_sign_of_life()
for _, name in ipairs(names(redis.call('XINFO', 'CONSUMERS', stream, group))) do
  if name == consumer then
    take_pending_of(name)
  elseif redis.call('EXISTS', prefix .. name) == 0 then
    take_pending_of(name)
    redis.call('XGROUP', 'DELCONSUMER', stream, group, name)
  end
end
return answer
