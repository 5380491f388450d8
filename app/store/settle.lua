-- settle(claim): records that a batch's place in the log is taken, or refuses.
--
-- Returns 'settled'; 'fresh' where Redis held no position although the reader had one (it was
-- cleared); or 'stale' where another process holds these messages now, and nothing was written.
-- All keys are in the claim (app/store/claims.py); `<seen.key>:new` and `:old` are hashes: block of a
-- frame -> hex of the bits of its lines.
-- It runs inside the script that applies the batch: both happen, or neither.

local function settle_offsets(claim)
  -- Kafka: [partition, offset that Redis must hold, next offset, whether it did hold one] of each
  -- partition in the batch. Any other offset in Redis means that someone else was here.
  local answer = 'settled'
  for _, span in ipairs(claim.spans) do
    local stored = redis.call('HGET', claim.positions, span[1])
    if stored then
      if tonumber(stored) ~= span[2] then return 'stale' end
    elseif span[4] then
      answer = 'fresh'
    end
  end
  for _, span in ipairs(claim.spans) do
    redis.call('HSET', claim.positions, span[1], string.format('%.0f', span[3]))
  end
  -- The place is taken: what Redis refuses from here on, such as a key that someone else uses for
  -- another type, must not keep the batch from being counted.
  if claim.lost then redis.pcall('HINCRBY', claim.totals, 'lost', claim.lost) end
  for _, memory in ipairs(claim.seen) do
    if memory.turn and redis.call('EXISTS', memory.key .. ':new') == 1 then
      redis.call('RENAME', memory.key .. ':new', memory.key .. ':old')
    end
    for block, indexes in pairs(memory.frames) do
      redis.pcall('HSET', memory.key .. ':new', block, indexes)
    end
  end
  return answer
end

-- Redis Streams: what the group has settled is noted outside of the group as well, because a group may be
-- destroyed by hand while the stream stands (take_over.lua goes on from here). `claim.settled` is a sorted
-- set of ids: all entries up to the first one are settled, and the others in it are. pcall, because the
-- place is taken already. Where the set is missing, take_over.lua makes it: here it would not be whole.
local function note_settled(claim)
  local pending = redis.pcall('XPENDING', claim.stream, claim.group)
  if pending.err then return end
  if pending[1] > 0 then
    if redis.pcall('EXISTS', claim.settled) ~= 1 then return end
    local first = sortable(pending[2])
    local added = { 0, sortable(id_before(pending[2])) }
    for _, id in ipairs(claim.ids) do
      local text = sortable(id)
      if text > first then
        added[#added + 1] = 0
        added[#added + 1] = text
      end
    end
    redis.pcall('ZREMRANGEBYLEX', claim.settled, '-', '(' .. first)
    for from = 1, #added, 1000 do
      redis.pcall('ZADD', claim.settled, unpack(added, from, math.min(from + 999, #added)))
    end
    return
  end
  -- Entries are handed out in their order, so all before the last one that is settled are settled.
  local newest = sortable(claim.ids[#claim.ids])
  local last = redis.pcall('ZREVRANGEBYLEX', claim.settled, '+', '-', 'LIMIT', 0, 1)[1]
  if last and last > newest then newest = last end
  redis.pcall('DEL', claim.settled)
  redis.pcall('ZADD', claim.settled, 0, newest)
end

local function settle_entries(claim)
  -- Redis Streams: the lease is there as long as nobody has taken this consumer's entries over.
  if redis.call('EXISTS', claim.lease) == 0 then return 'stale' end
  -- All entries, from first to last, must still wait for this consumer: an answer that never
  -- arrived may have been a yes, and what is settled twice counts once. (An error: no such group.)
  local count = #claim.ids
  local pending = redis.pcall(
    'XPENDING', claim.stream, claim.group, claim.ids[1], claim.ids[count], count, claim.consumer)
  if pending.err or #pending ~= count then return 'stale' end
  for at, entry in ipairs(pending) do
    if entry[1] ~= claim.ids[at] then return 'stale' end
  end
  redis.call('PEXPIRE', claim.lease, claim.lease_ms)
  for from = 1, count, 1000 do
    local to = math.min(from + 999, count)
    redis.call('XACK', claim.stream, claim.group, unpack(claim.ids, from, to))
    -- Entries that the bound trimmed while they were held here are not lost after all.
    redis.pcall('HDEL', claim.gone, unpack(claim.ids, from, to))
  end
  redis.pcall('HINCRBY', claim.meta, 'read:' .. claim.group, claim.messages)
  if claim.settled then note_settled(claim) end
  return 'settled'
end

local settle_kind = { offsets = settle_offsets, entries = settle_entries }

local function settle(claim)
  local settle_it = settle_kind[claim.kind]
  -- Nothing is written yet, and the script ends here.
  if not settle_it then error('unknown kind of claim: ' .. tostring(claim.kind), 0) end
  return settle_it(claim)
end
