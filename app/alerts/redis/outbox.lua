-- What deliveries to targets leave; lease.lua is in front.
--
-- outbox: hash of id -> JSON {target, incident, kind, sequence, added_s, attempts, begun_s, claimed_s, due_s,
-- reason, by}; `by` is the holder that claimed it and has not said how that ended.
-- messages: hash of id -> JSON.
-- targets: hash of name -> JSON {name, delivered_s, failed_s, reason, given_up, given_up_s}.

local function decoded(text)
  -- nil: it is not there, or no JSON object.
  if not text then return nil end
  local is_json, found = pcall(cjson.decode, text)
  if is_json and type(found) == 'table' then return found end
  return nil
end

local function last_heard_s(status)
  return math.max(status.delivered_s or 0, status.failed_s or 0, status.given_up_s or 0)
end

local function make_room_for(targets, name, most)
  -- Settings come and go: the target that nothing was heard of for longest gives way.
  if redis.call('HEXISTS', targets, name) == 1 or redis.call('HLEN', targets) < most then return end
  local oldest, oldest_s
  local all = redis.call('HGETALL', targets)
  for at = 1, #all, 2 do
    local heard_s = last_heard_s(decoded(all[at + 1]) or {})
    if not oldest_s or heard_s < oldest_s then oldest, oldest_s = all[at], heard_s end
  end
  redis.call('HDEL', targets, oldest)
end

local function note(targets, name, most, changes)
  -- Changes how deliveries to a target go; `given_up` is added.
  if name == '' then return end
  make_room_for(targets, name, most)
  local status = decoded(redis.call('HGET', targets, name)) or {}
  for field, value in pairs(changes) do status[field] = value end
  status.name, status.given_up = name, status.given_up or 0
  redis.call('HSET', targets, name, cjson.encode(status))
end

local function given_up_of(targets, name)
  return (decoded(redis.call('HGET', targets, name)) or {}).given_up or 0
end

local function remove(outbox, messages, id)
  redis.call('HDEL', outbox, id)
  redis.call('HDEL', messages, id)
end

local function give_up(outbox, messages, targets, id, name, most, reason, now_s)
  remove(outbox, messages, id)
  note(targets, name, most, {
    failed_s = now_s, reason = reason, given_up = given_up_of(targets, name) + 1, given_up_s = now_s,
  })
end
