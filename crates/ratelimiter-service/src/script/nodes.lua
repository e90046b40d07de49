-- The registry, read only. KEYS: prefix of the nodes' hashes, all nodes, all boots.
-- Replies {0, now, {{id, fields …} …}, {boot …}}.
local nodes = {}
for _, id in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
  table.insert(nodes, { id, redis.call('HGETALL', KEYS[1] .. id) })
end
return { 0, now_us(), nodes, redis.call('ZRANGE', KEYS[3], 0, -1) }
