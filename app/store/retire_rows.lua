-- Takes rows out of an app's table of routes, and names the rows that their figures are to be added to.
--
-- KEYS: routes, learned templates, versions of all tables, moves
-- ARGV[1]: app; ARGV[2]: JSON {templates: {{name, what is stored of it}, ...}, moves: {{route, its digest,
-- route to add to, its digest}, ...}, scope: what stands in front of the app's keys, sums: hashes of the talk}
-- Returns how many rows were taken out. From then on lines of such a route are counted elsewhere; its
-- figures stay where they are until move_rows.lua has added them. But `sums` are added here and now: of all
-- routes together there are none, so whoever adds them up must find them in the rows at any time.

local routes, learned, versions, moves = unpack(KEYS)
local app, plan = ARGV[1], cjson.decode(ARGV[2])
local retired, changes = 0, #plan.templates

local function add(from, to)
  local flat = redis.call('HGETALL', from)
  for at = 1, #flat, 2 do redis.call('HINCRBY', to, flat[at], flat[at + 1]) end
  redis.call('DEL', from)
end

for _, template in ipairs(plan.templates) do redis.call('HSET', learned, template[1], template[2]) end
for _, move in ipairs(plan.moves) do
  local route, digest, into, into_digest = unpack(move)
  if route ~= into and redis.call('HDEL', routes, route) == 1 then
    redis.call('HSETNX', routes, into, into_digest)
    redis.call('RPUSH', moves, cjson.encode({ app = app, route = route, from = digest, to = into_digest }))
    for _, hash in ipairs(plan.sums) do
      add(plan.scope .. digest .. hash, plan.scope .. into_digest .. hash)
    end
    retired = retired + 1
  end
end
if retired + changes > 0 then redis.call('HINCRBY', versions, app, 1) end
return retired
