-- Lets a reader join its group, and gives it the entries of readers that are gone.
--
-- KEYS: stream, meta, gone (entries of the group that the bound trimmed while a reader held them)
-- ARGV: group, consumer, start ('0' or '$'), lease prefix, lease in ms
-- Returns 'created' where the group was not there, else 'joined'.

local stream, meta, gone = KEYS[1], KEYS[2], KEYS[3]
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

local function has_group()
  if redis.call('EXISTS', stream) == 0 then return false end
  for _, name in ipairs(names(redis.call('XINFO', 'GROUPS', stream))) do
    if name == group then return true end
  end
  return false
end

local function create_group()
  redis.call('XGROUP', 'CREATE', stream, group, start, 'MKSTREAM')
  -- A group that starts at the end, or after the log was trimmed, is not behind by what it skips.
  local added = tonumber(redis.call('HGET', meta, 'added') or '0')
  local kept = tonumber(redis.call('HGET', meta, 'kept') or '0')
  redis.call('HSET', meta, 'read:' .. group, start == '0' and added - kept or added)
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

local answer = 'joined'
if not has_group() then
  create_group()
  answer = 'created'
end
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
