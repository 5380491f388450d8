-- Adds the next portions of the journal to the figures, as many as the step may cost.
-- KEYS: journal of an earlier version, journal, totals of the group. A portion `@<key>` stands for those of
-- the list `key`.
-- ARGV[1]: limits (JSON), ARGV[2]: units that the step may cost
-- Returns {portions left, units done, parts that Redis refused, its words on the first of them}.

limits = cjson.decode(ARGV[1])
local most, done = tonumber(ARGV[2]), 0

local function add_from(journal, add)
  -- Returns false once the step has cost enough.
  while true do
    local portion = call('LINDEX', journal, 0)
    if not portion then return true end
    local list = string.match(portion, '^@(.+)')
    if list then
      if not add_from(list, add) then return false end
    else
      local units = units_of(portion)
      if done > 0 and done + units > most then return false end
      -- A Redis that is full refuses this write, before anything of the portion is added.
      if done == 0 then call('LSET', journal, 0, portion) end
      done = done + add(portion)
    end
    call('LPOP', journal)
  end
end

if add_from(KEYS[1], add_earlier_portion) then add_from(KEYS[2], add_portion) end
count_refused(KEYS[3])
return { call('LLEN', KEYS[1]) + call('LLEN', KEYS[2]), done, refused, first_fault }
