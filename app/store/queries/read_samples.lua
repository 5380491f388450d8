-- Chunks of samples, see app/store/samples.py. It only reads.
--
-- KEYS: chunks. Returns for each {slowest, failed}, two lists of three values a sample; or nothing where
-- there is no such chunk, or something else is under its name.

local answer = {}
for at, key in ipairs(KEYS) do
  answer[at] = {}
  local chunk = redis.pcall('GET', key)
  if type(chunk) == 'string' then
    local is_one, found = pcall(cmsgpack.unpack, chunk)
    if is_one and type(found) == 'table' then answer[at] = found end
  end
end
return answer
