-- settle(claim): records that a batch's place in the log is taken, or refuses.
--
-- Returns 'settled'; 'fresh' where Redis held no position although the reader had one (it was
-- cleared); or 'stale' where another process holds these messages now, and nothing was written.
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
  for _, memory in ipairs(claim.seen) do
    if memory.turn and redis.call('EXISTS', memory.key .. ':new') == 1 then
      redis.call('RENAME', memory.key .. ':new', memory.key .. ':old')
    end
    for frame, indexes in pairs(memory.frames) do
      redis.call('HSET', memory.key .. ':new', frame, indexes)
    end
  end
  return answer
end

local function settle_entries(claim)
  -- Redis Streams: the lease is there as long as nobody has taken this consumer's entries over.
  if redis.call('PEXPIRE', claim.lease, claim.lease_ms) == 0 then return 'stale' end
  -- Entries are settled all together, so the first one tells whether an answer that never arrived
  -- was a yes: what is settled twice counts once.
  local first = claim.ids[1]
  local pending = redis.call('XPENDING', claim.stream, claim.group, first, first, 1, claim.consumer)
  if #pending == 0 then return 'stale' end
  for from = 1, #claim.ids, 1000 do
    local to = math.min(from + 999, #claim.ids)
    redis.call('XACK', claim.stream, claim.group, unpack(claim.ids, from, to))
    -- Entries that the bound trimmed while they were held here are not lost after all.
    redis.call('HDEL', claim.meta .. ':gone:' .. claim.group, unpack(claim.ids, from, to))
  end
  redis.call('HINCRBY', claim.meta, 'read:' .. claim.group, claim.messages)
  return 'settled'
end

local function settle(claim)
  if claim.kind == 'offsets' then return settle_offsets(claim) end
  return settle_entries(claim)
end
