-- Ids of a stream's entries, `<ms>-<sequence>`: both up to 2^64, more than a number of Lua holds exactly.

local SEQUENCE_MAX = '18446744073709551615'

-- The id in a form whose order as text is the order of ids.
local function sortable(id)
  local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
  return string.rep('0', 20 - #ms) .. ms .. '-' .. string.rep('0', 20 - #sequence) .. sequence
end

local function from_sortable(text)
  local ms, sequence = string.match(text, '^0*(%d+)-0*(%d+)$')
  return ms .. '-' .. sequence
end

-- A number of digits, less 1.
local function less_one(digits)
  local head, last, zeros = string.match(digits, '^(%d-)([1-9])(0*)$')
  return (string.gsub(head .. (last - 1) .. string.rep('9', #zeros), '^0+(%d)', '%1'))
end

-- The largest id before this one, which is not 0-0.
local function id_before(id)
  local ms, sequence = string.match(id, '^(%d+)-(%d+)$')
  if string.match(sequence, '[1-9]') then return ms .. '-' .. less_one(sequence) end
  return less_one(ms) .. '-' .. SEQUENCE_MAX
end

