-- Sums up time windows where they are, so that thousands of hashes leave Redis as a few rows.
--
-- ARGV[1]: what stands before the windows' names, one a row; ARGV[2]: bins, each a list of names;
-- ARGV[3]: `rows` or `bins`. All JSON. It only reads.
--
-- rows: for each row an empty string where nothing is, else JSON {sums: field -> count, bins: [n, ...],
--       first: name of the first window that is there}
-- bins: for each bin of the one row the JSON of its sums, field -> count

local prefixes, bins = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])

local function add(sums, key)
  local flat = redis.call('HGETALL', key)
  for i = 1, #flat, 2 do
    sums[flat[i]] = (sums[flat[i]] or 0) + tonumber(flat[i + 1])
  end
  return #flat > 0
end

local answer = {}
if ARGV[3] == 'bins' then
  for i, names in ipairs(bins) do
    local sums = {}
    for _, name in ipairs(names) do add(sums, prefixes[1] .. name) end
    answer[i] = cjson.encode(sums)
  end
  return answer
end

for i, prefix in ipairs(prefixes) do
  local sums, per_bin, first = {}, {}, nil
  for j, names in ipairs(bins) do
    local before = sums.n or 0
    for _, name in ipairs(names) do
      if add(sums, prefix .. name) then first = first or name end
    end
    per_bin[j] = (sums.n or 0) - before
  end
  answer[i] = first and cjson.encode({ sums = sums, bins = per_bin, first = first }) or ''
end
return answer
