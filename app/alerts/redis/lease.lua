-- In front of every script of alerts that writes.

local function require_type(key, kind)
  -- A script cannot take back what it wrote, so a key that is somebody else's must be found first.
  local found = redis.call('TYPE', key).ok
  if found ~= 'none' and found ~= kind then
    error('WRONGTYPE ' .. key .. ' is somebody else\'s: a ' .. found .. ', not a ' .. kind, 0)
  end
end

local function allow_writes_when_full(key)
  -- A full Redis refuses a script whose first write takes memory. This one takes none, and does nothing.
  -- What is written after it must be bounded, because Redis no longer checks.
  redis.call('PEXPIREAT', key .. ':none', 1)
end

local function has_lease(lease, holder)
  return redis.call('GET', lease) == holder
end
