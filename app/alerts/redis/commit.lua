-- What one moment makes, all or nothing; lease.lua and outbox.lua are in front.
-- KEYS: lease, board, told, history, ends, outbox, messages, targets
-- ARGV: holder, JSON of
--   before: {at_s, evaluated_s} of the board that this one was made from (null: whatever it is)
--   board: {field = JSON, ...} to be written; names: {field, ...} that stay, all others go
--   told: {incident = JSON of a message, ...}; open: {incident, ...} of which the last message stays
--   ended: {{incident, ended (Unix s), JSON}, ...}
--   deliveries: {{id, target, incident, kind, JSON of its message}, ...}
--   now_s, kept_since_s, history_max, history_max_bytes, outbox_max, targets_max
-- Answers `lost` (another process has the lease), `changed` (the board is another one) or `written`.
--
-- A script cannot take back what it wrote, so it writes once nothing can fail any more.

require_type(KEYS[1], 'string')
require_type(KEYS[5], 'zset')
for _, at in ipairs({2, 3, 4, 6, 7, 8}) do require_type(KEYS[at], 'hash') end
local lease, board, told, history, ends, outbox, messages, targets = unpack(KEYS)
local made = cjson.decode(ARGV[2])

local function without_others(key, names)
  local stay = {}
  for _, name in ipairs(names) do stay[name] = true end
  for _, name in ipairs(redis.call('HKEYS', key)) do
    if not stay[name] then redis.call('HDEL', key, name) end
  end
end

local function bytes_kept() return tonumber(redis.call('HGET', history, 'bytes') or 0) end

local function forget(id)
  local size = redis.call('HSTRLEN', history, id)
  redis.call('HDEL', history, id)
  redis.call('ZREM', ends, id)
  redis.call('HSET', history, 'bytes', math.max(0, bytes_kept() - size))
end

local function remember(id, ended_s, incident)
  forget(id)
  local text = '{"incident":' .. incident .. ',"message":' .. (redis.call('HGET', told, id) or 'null') .. '}'
  redis.call('HSET', history, id, text)
  redis.call('ZADD', ends, ended_s, id)
  redis.call('HSET', history, 'bytes', bytes_kept() + #text)
end

local function forget_oldest()
  while true do
    local oldest = redis.call('ZRANGE', ends, 0, 0, 'WITHSCORES')
    if not oldest[1] then break end
    local fits = redis.call('ZCARD', ends) <= made.history_max and bytes_kept() <= made.history_max_bytes
    if fits and tonumber(oldest[2]) >= made.kept_since_s then break end
    forget(oldest[1])
  end
end

local function give_up_oldest()
  local over = redis.call('HLEN', outbox) - made.outbox_max
  if over <= 0 then return end
  local waiting = {}
  local all = redis.call('HGETALL', outbox)
  for at = 1, #all, 2 do
    local found = decoded(all[at + 1]) or {}
    if (found.by or '') == '' then
      local rank = found.kind == 'repeat' and 0 or 1
      table.insert(waiting, {id = all[at], target = found.target, rank = rank, sequence = found.sequence or 0})
    end
  end
  table.sort(waiting, function(one, other)
    if one.rank ~= other.rank then return one.rank < other.rank end
    return one.sequence < other.sequence
  end)
  for at = 1, math.min(over, #waiting) do
    local one = waiting[at]
    give_up(outbox, messages, targets, one.id, one.target or '', made.targets_max,
      'more than ' .. made.outbox_max .. ' messages waited', made.now_s)
  end
end

if not has_lease(lease, ARGV[1]) then return 'lost' end
if made.before ~= cjson.null then
  local found = decoded(redis.call('HGET', board, 'board')) or {}
  if made.before[1] ~= (found.at_s or 0) or made.before[2] ~= (found.evaluated_s or 0) then return 'changed' end
end
allow_writes_when_full(board)
for field, text in pairs(made.board) do redis.call('HSET', board, field, text) end
without_others(board, made.names)
for id, text in pairs(made.told) do redis.call('HSET', told, id, text) end
for _, one in ipairs(made.ended) do remember(unpack(one)) end
without_others(told, made.open)
forget_oldest()
for _, one in ipairs(made.deliveries) do
  local id, target, incident, kind, text = unpack(one)
  local sequence = redis.call('HINCRBY', board, 'sequence', 1)
  redis.call('HSET', messages, id, text)
  redis.call('HSET', outbox, id, cjson.encode({
    target = target, incident = incident, kind = kind, sequence = sequence, added_s = made.now_s,
    attempts = 0, due_s = 0, reason = '', by = '',
  }))
end
give_up_oldest()
return 'written'
