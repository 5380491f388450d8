-- Adds the next portions of the journal to the figures, as many as the step may cost.
-- KEYS: journal, totals of the group; ARGV[1]: limits (JSON), ARGV[2]: units that the step may cost
-- Returns {portions left, units done, parts that Redis refused, its words on the first of them}.

limits = cjson.decode(ARGV[1])
local journal, most, done = KEYS[1], tonumber(ARGV[2]), 0

while true do
  local portion = call('LINDEX', journal, 0)
  if not portion then break end
  local units = units_of(portion)
  if done > 0 and done + units > most then break end
  -- A Redis that is full refuses this write, before anything of the portion is added.
  if done == 0 then call('LSET', journal, 0, portion) end
  done = done + add_portion(portion)
  call('LPOP', journal)
end

count_refused(KEYS[2])
return { call('LLEN', journal), done, refused, first_fault }
