-- Sums up time windows where they are, so that thousands of them leave Redis as a few rows.
--
-- ARGV[1]: what stands before the chunks' names, one a row; ARGV[2]: bins, each a list of
-- {chunk, {numbers of windows}}, see app/store/keys.py, both JSON; ARGV[3]: `rows` or `bins`; ARGV[4]:
-- the field of a window that counts requests; ARGV[5]: JSON {prefix, further: field -> factor}, fields that
-- count errors, or empty: errors are not asked for.
-- It only reads.
--
-- rows: for each row an empty string where nothing is, else JSON {sums: field -> count, bins: [n, ...],
--       errors: [n, ...] or empty, first: [chunk, number] of the first window that is there}
-- bins: for each bin of the one row the JSON of its sums, field -> count

local prefixes, bins, requests = cjson.decode(ARGV[1]), cjson.decode(ARGV[2]), ARGV[4]
local error_fields = ARGV[5] ~= '' and cjson.decode(ARGV[5])

local function errors_of(sums)
  local errors = 0
  local prefix, further = error_fields.prefix, error_fields.further
  for field, count in pairs(sums) do
    if type(field) == 'string' then
      if further[field] then
        errors = errors + further[field] * count
      elseif field:sub(1, #prefix) == prefix then
        errors = errors + count
      end
    end
  end
  return errors
end

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
  local sums, per_bin, errors, first, errors_before = {}, {}, {}, nil, 0
  for j, bin in ipairs(bins) do
    local before = sums[requests] or 0
    local found = add(sums, prefix, bin)
    first = first or found
    per_bin[j] = (sums[requests] or 0) - before
    if error_fields then
      local errors_now = found and errors_of(sums) or errors_before
      errors[j], errors_before = errors_now - errors_before, errors_now
    end
  end
  answer[i] = first and cjson.encode({ sums = sums, bins = per_bin, errors = errors, first = first }) or ''
end
return answer
