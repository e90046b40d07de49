-- Takes a node out of the registry. KEYS: the node's hash, all nodes.
-- ARGV: 1 deadline, 2 id, 3 only this boot ('' = whichever). Replies {0, now, how many}; {2, now}: late.
local now = now_us()
if now > tonumber(ARGV[1]) then return { 2, now } end
if ARGV[3] ~= '' and redis.call('HGET', KEYS[1], 'boot_id') ~= ARGV[3] then return { 0, now, 0 } end
redis.call('UNLINK', KEYS[1])
return { 0, now, redis.call('ZREM', KEYS[2], ARGV[2]) }
