-- Dead letters within their bound. In front of every script that writes them, after a table
-- `dead_letters` of the constants in dead_letters.py.
--
-- The account is a hash: `bytes` (of the letters counted), `kept` (how many these are), `upto` (the
-- id of the last one counted). Letters behind `upto` come from a version without an account; each
-- call counts some of them. So no call takes long, however much there is.

local letters = dead_letters  -- the constants
local COUNTED_MOST = 2 ^ 53   -- Lua and JavaScript count exactly up to here

local function count_up(key, field, added)
  -- HINCRBY, but it stays at COUNTED_MOST where that one fails. What is no number begins anew.
  local before = tonumber(string.match(redis.call('HGET', key, field) or '', '^%d+$') or 0)
  if added > 0 and before < COUNTED_MOST then
    redis.call('HSET', key, field, string.format('%.0f', math.min(COUNTED_MOST, before + added)))
  end
end

local function require_type(key, kind)
  -- A script cannot take back what it wrote, so a key that is somebody else's must be found first.
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    error('WRONGTYPE ' .. key .. ' is somebody else\'s: a ' .. found .. ', not a ' .. kind, 0)
  end
end

local function require_letter_types()
  require_type(letters.key, 'stream')
  require_type(letters.account, 'hash')
  require_type(letters.counts, 'hash')
end

local function allow_writes_when_full()
  -- A full Redis refuses a script whose first write takes memory (see append.lua). This one takes
  -- none. What is written after it must be bounded, because Redis no longer checks.
  redis.call('XDEL', letters.key, '0-1')
end

local function is_behind(id, other)
  local ms, sequence = string.match(id, '(%d+)-(%d+)')
  local other_ms, other_sequence = string.match(other, '(%d+)-(%d+)')
  ms, other_ms = tonumber(ms), tonumber(other_ms)
  return ms > other_ms or (ms == other_ms and tonumber(sequence) > tonumber(other_sequence))
end

local function size_of(fields)
  local size = letters.overhead_bytes
  for _, text in ipairs(fields) do size = size + #text end
  return size
end

local function count_uncounted(account)
  local read, read_bytes = 0, 0
  repeat
    local found = redis.call('XRANGE', letters.key, '(' .. account.upto, '+', 'COUNT', 16)
    for _, entry in ipairs(found) do
      local size = size_of(entry[2])
      account.bytes, account.kept, account.upto = account.bytes + size, account.kept + 1, entry[1]
      read, read_bytes = read + 1, read_bytes + size
    end
    account.is_complete = #found < 16
  until account.is_complete or read >= letters.step_letters or read_bytes >= letters.step_bytes
end

local function read_account()
  local stored = redis.call('HMGET', letters.account, 'bytes', 'kept', 'upto')
  local account = {
    bytes = tonumber(stored[1] or 0), kept = tonumber(stored[2] or 0), upto = stored[3] or '0-0',
    length = redis.call('XLEN', letters.key), dropped = 0,
  }
  count_uncounted(account)
  if account.is_complete and account.kept ~= account.length then
    -- Somebody removed letters without the account: an older version, or a person.
    account.bytes, account.kept, account.upto = 0, 0, '0-0'
    count_uncounted(account)
  end
  return account
end

local function write_account(account)
  redis.call('HSET', letters.account, 'bytes', string.format('%.0f', account.bytes),
    'kept', string.format('%.0f', account.kept), 'upto', account.upto)
  count_up(letters.counts, 'dead_letters_dropped', account.dropped)
end

local function remove(account, entry)
  -- How many bytes this frees: 0 where the letter is not there any more.
  if redis.call('XDEL', letters.key, entry[1]) == 0 then return 0 end
  local size = size_of(entry[2])
  account.length = account.length - 1
  if not is_behind(entry[1], account.upto) then
    account.bytes, account.kept = account.bytes - size, account.kept - 1
  end
  return size
end

local function read_memory()
  -- The bound in bytes, and how much Redis still takes. Without a maxmemory, or where INFO is
  -- refused, only the fixed bound holds.
  local told = redis.pcall('INFO', 'memory')
  if type(told) ~= 'string' then return letters.most_bytes, math.huge end
  local function number(name) return tonumber(string.match(told, '\n' .. name .. ':(%d+)') or 0) end
  local maxmemory = number('maxmemory')
  if maxmemory == 0 then return letters.most_bytes, math.huge end
  local free = maxmemory - number('used_memory') + number('mem_not_counted_for_evict')
  return math.min(letters.most_bytes, math.floor(maxmemory * letters.share)), free
end

local function make_room(account, limit, bytes, number, bytes_to_free)
  -- Drops the oldest letters until these many more fit; at most one step's worth.
  local freed = 0
  local function is_over()
    return account.bytes + bytes > limit or account.length + number > letters.most or freed < bytes_to_free
  end
  local dropped_before = account.dropped
  while is_over() and account.length > 0 do
    local found = redis.call('XRANGE', letters.key, '-', '+', 'COUNT', 16)
    if #found == 0 then break end
    for _, entry in ipairs(found) do
      if not is_over() then break end
      freed = freed + remove(account, entry)
      account.dropped = account.dropped + 1
    end
    if account.dropped - dropped_before >= letters.step_letters or freed >= letters.step_bytes then break end
  end
end

local function enforce_dead_letters_limit()
  -- Keeps the bound without a new letter. Returns 1 when there is more to do, else 0.
  require_letter_types()
  if redis.call('XLEN', letters.key) == 0 then return 0 end
  allow_writes_when_full()
  local account = read_account()
  local limit = read_memory()
  make_room(account, limit, 0, 0, 0)
  write_account(account)
  local is_over = account.bytes > limit or account.length > letters.most
  return (is_over or not account.is_complete) and 1 or 0
end

local function drop_dead_letters(ids)
  -- Removes these; returns how many were there.
  require_letter_types()
  allow_writes_when_full()
  local account = read_account()
  local before = account.length
  for _, id in ipairs(ids) do
    local entry = redis.call('XRANGE', letters.key, id, id)[1]
    if entry then remove(account, entry) end
  end
  write_account(account)
  return before - account.length
end

local function keep_dead_letters(arguments, from)
  -- arguments, from that place on: letters left out, then six of each letter (see dead_letters.py).
  -- The oldest go for them. A Redis that is full takes as much as goes; the rest is counted as dropped.
  local left_out = tonumber(arguments[from] or 0)
  local count = math.max(0, (#arguments - from) / #letters.fields)
  if count + left_out == 0 then return end
  require_letter_types()
  local account = read_account()
  local limit, free = read_memory()
  local entries, bytes = {}, 0
  for at = 1, count do
    local entry = {}
    for place, name in ipairs(letters.fields) do
      entry[2 * place - 1], entry[2 * place] = name, arguments[from + (at - 1) * #letters.fields + place]
    end
    local size = size_of(entry)
    if bytes + size <= limit then
      entries[#entries + 1], bytes = entry, bytes + size
    end
  end
  local is_full = free < bytes
  if is_full and account.bytes < bytes then entries, bytes = {}, 0 end
  allow_writes_when_full()
  make_room(account, limit, bytes, #entries, is_full and bytes or 0)
  for _, entry in ipairs(entries) do
    local id = redis.call('XADD', letters.key, '*', unpack(entry))
    account.length = account.length + 1
    if account.is_complete then
      account.bytes, account.kept, account.upto = account.bytes + size_of(entry), account.kept + 1, id
    end
  end
  account.dropped = account.dropped + left_out + count - #entries
  write_account(account)
  count_up(letters.counts, 'dead_letters', left_out + count)
end
