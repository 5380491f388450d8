-- Merges windows of gauges where they are: see app/store/gauge_rows.py for what a window has.
--
-- ARGV[1]: what stands before the chunks' names, one a gauge; ARGV[2]: the windows, a list of {chunk, {numbers}};
-- ARGV[3]: which of these windows, counted from 1 through all chunks, make up the span; ARGV[4]: the same of each
-- step of it. All are JSON. It only reads.
-- Returns for each gauge an empty string where nothing is, else JSON {total: window, steps: [window, ...]}; a step
-- has no counters, only measures.

local prefixes, chunks = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
local span, steps = cjson.decode(ARGV[3]), cjson.decode(ARGV[4])

local function merged(windows, places, with_counters)
  local sum = {}
  for _, place in ipairs(places) do
    for field, value in pairs(windows[place] or {}) do
      local before = sum[field]
      if type(value) == 'table' then
        if before then
          before[1], before[2] = before[1] + value[1], before[2] + value[2]
          before[3], before[4] = math.min(before[3], value[3]), math.max(before[4], value[4])
        else
          sum[field] = { value[1], value[2], value[3], value[4] }
        end
      elseif with_counters then
        sum[field] = (before or 0) + value
      end
    end
  end
  return sum
end

local answer = {}
for i, prefix in ipairs(prefixes) do
  local windows, place, is_empty = {}, 0, true
  for _, chunk in ipairs(chunks) do
    for _, window in ipairs(redis.call('HMGET', prefix .. chunk[1], unpack(chunk[2]))) do
      place = place + 1
      if window then windows[place], is_empty = cmsgpack.unpack(window), false end
    end
  end
  if is_empty then
    answer[i] = ''
  else
    local per_step = {}
    for j, places in ipairs(steps) do per_step[j] = merged(windows, places, false) end
    answer[i] = cjson.encode({ total = merged(windows, span, true), steps = per_step })
  end
end
return answer
