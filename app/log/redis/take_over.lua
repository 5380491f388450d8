-- Gives a reader its place in the group, and the entries of readers that are gone.
--
-- KEYS: stream, meta; ARGV: group, consumer, start ('0' or '$'), lease prefix, lease in ms
-- Returns 'created' where the group was not there, else 'joined'.

local stream, meta = KEYS[1], KEYS[2]
local group, consumer, start, prefix, lease_ms = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local gone = meta .. ':gone:' .. group
local answer = 'joined'

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

local function claim_or_count(name, pending)
  -- An entry that the bound has trimmed cannot be read any more: acknowledged, and counted lost.
  for _, entry in ipairs(pending) do
    local id = entry[1]
    if #redis.call('XRANGE', stream, id, id) == 0 then
      redis.call('XACK', stream, group, id)
      redis.call('HINCRBY', meta, 'lost:' .. group, redis.call('HGET', gone, id) or 1)
      redis.call('HDEL', gone, id)
    elseif name ~= consumer then
      redis.call('XCLAIM', stream, group, consumer, 0, id, 'JUSTID')
    end
  end
end

if not has_group() then
  redis.call('XGROUP', 'CREATE', stream, group, start, 'MKSTREAM')
  -- A group that starts at the end, or after the log was trimmed, is not behind by what it skips.
  local added = tonumber(redis.call('HGET', meta, 'added') or '0')
  local kept = tonumber(redis.call('HGET', meta, 'kept') or '0')
  redis.call('HSET', meta, 'read:' .. group, start == '0' and added - kept or added)
  answer = 'created'
end

redis.call('SET', prefix .. consumer, '1', 'PX', lease_ms)
-- The group's sign of life: append.lua drops nothing that a running group has still to read.
local time = redis.call('TIME')
redis.call('HSET', meta, 'seen:' .. group, tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
for _, name in ipairs(names(redis.call('XINFO', 'CONSUMERS', stream, group))) do
  local is_dead = name ~= consumer and redis.call('EXISTS', prefix .. name) == 0
  if is_dead or name == consumer then
    local after = '-'
    while true do
      local pending = redis.call('XPENDING', stream, group, after, '+', 500, name)
      if #pending == 0 then break end
      claim_or_count(name, pending)
      after = '(' .. pending[#pending][1]
    end
    if is_dead then redis.call('XGROUP', 'DELCONSUMER', stream, group, name) end
  end
end
return answer
