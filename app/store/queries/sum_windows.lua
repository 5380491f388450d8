-- Sums up time windows where they are, so that thousands of them leave Redis as a few rows.
--
-- ARGV[1]: what stands before the chunks' names, one a row; ARGV[2]: bins, each a list of
-- {chunk, {numbers of windows}}, see app/store/keys.py, both JSON; ARGV[3]: `rows` or `bins`; ARGV[4]:
-- the field of a window that counts requests.
-- It only reads.
--
-- rows: for each row an empty string where nothing is, else JSON {sums: field -> count, bins: [n, ...],
--       first: [chunk, number] of the first window that is there}
-- bins: for each bin of the one row the JSON of its sums, field -> count

local prefixes, bins, requests = cjson.decode(ARGV[1]), cjson.decode(ARGV[2]), ARGV[4]

local function add(sums, prefix, bin)
  -- Adds all windows of a bin; the first that is there, or nil.
  local first = nil
  for _, chunk in ipairs(bin) do
    local name, numbers = chunk[1], chunk[2]
    for at, window in ipairs(redis.call('HMGET', prefix .. name, unpack(numbers))) do
      if window then
        for field, count in pairs(cmsgpack.unpack(window)) do sums[field] = (sums[field] or 0) + count end
        first = first or { name, numbers[at] }
      end
    end
  end
  return first
end

local answer = {}
if ARGV[3] == 'bins' then
  for i, bin in ipairs(bins) do
    local sums = {}
    add(sums, prefixes[1], bin)
    answer[i] = cjson.encode(sums)
  end
  return answer
end

for i, prefix in ipairs(prefixes) do
  local sums, per_bin, first = {}, {}, nil
  for j, bin in ipairs(bins) do
    local before = sums[requests] or 0
    local found = add(sums, prefix, bin)
    first = first or found
    per_bin[j] = (sums[requests] or 0) - before
  end
  answer[i] = first and cjson.encode({ sums = sums, bins = per_bin, first = first }) or ''
end
return answer
