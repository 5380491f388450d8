-- Portions of an earlier version, whose rows were of another form: `<units> <JSON list of rows>`, a row
-- {scope, route or null, digest, service, connect, service_max, connect_max, service_sketch,
-- connect_sketch, statuses, mix, dynos, hosts, chunks}, its windows tables in the JSON. Its worker may
-- have left some in the journal, so they are read as long as anybody upgrades from it.

local function add_earlier_row(row)
  local now = { route = row.route, digest = row.digest, chunks = row.chunks }
  if row.mix then
    now.times = { ['::service'] = row.service, ['::connect'] = row.connect }
    now.counts = {
      [':mix'] = row.mix, ['::statuses'] = row.statuses,
      [':service'] = row.service_sketch, [':connect'] = row.connect_sketch,
    }
    now.bounded = { [':dynos'] = row.dynos, [':hosts'] = row.hosts }
    now.maxima = {
      max_service = row.service[2] > 0 and row.service_max or nil,
      max_connect = row.connect[2] > 0 and row.connect_max or nil,
    }
  end
  local packed = {}
  for _, chunk in ipairs(row.chunks) do
    for at, counts in ipairs(chunk[4]) do
      local window = {}
      for i, field in ipairs(counts[1]) do window[field] = counts[2][i] end
      packed[#packed + 1] = cmsgpack.pack(window)
      chunk[4][at] = #packed[#packed]
    end
  end
  add_row(now, row.scope, table.concat(packed), 1)
end

local function add_earlier_portion(portion)
  -- Returns what it cost in units.
  read_units = 0
  for _, row in ipairs(cjson.decode(string.sub(portion, string.find(portion, ' ', 1, true) + 1))) do
    attempt(add_earlier_row, row)
  end
  return units_of(portion) + read_units
end
