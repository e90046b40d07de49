-- A node says that it lives. KEYS: the node's hash, all nodes, all boots.
-- ARGV: 1 deadline, 2 id, 3 boot, 4 address, 5 version, 6 mode, 7 ttl (ms), 8 leaves in (ms, 0 = stays),
-- 9 drained by, 10 drained for (ms), 11 version of the drain.
-- Replies {0, now, other}: another live boot that uses the same id, '' = none; {2, now}: late, nothing happened.
local KEEP_NODE_MS = 86400000 -- 24 h
local KEEP_BOOT_US = 1036800000000 -- 12 days: a little more than the longest window
local now = now_us()
if now > tonumber(ARGV[1]) then return { 2, now } end
local before = redis.call('HMGET', KEYS[1], 'boot_id', 'registered_at_us', 'heartbeat_us', 'ttl_ms', 'leaving_until_us')
local other, registered = '', decimal(now)
if before[1] == ARGV[3] then
  registered = before[2] or registered
elseif before[1] and before[5] == '0' and now - (tonumber(before[3]) or 0) < (tonumber(before[4]) or 0) * 1000 then
  other = before[1]
end
local leaving, drained = 0, 0
if tonumber(ARGV[8]) > 0 then leaving = now + tonumber(ARGV[8]) * 1000 end
if tonumber(ARGV[10]) > 0 then drained = now + tonumber(ARGV[10]) * 1000 end
redis.call('HSET', KEYS[1], 'id', ARGV[2], 'boot_id', ARGV[3], 'address', ARGV[4], 'version', ARGV[5],
  'mode', ARGV[6], 'ttl_ms', ARGV[7], 'registered_at_us', registered, 'heartbeat_us', decimal(now),
  'leaving_until_us', decimal(leaving), 'drain_owner', ARGV[9], 'drain_until_us', decimal(drained),
  'drain_version', ARGV[11])
redis.call('PEXPIRE', KEYS[1], KEEP_NODE_MS)
redis.call('ZADD', KEYS[2], decimal(now), ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', decimal(now - KEEP_NODE_MS * 1000))
redis.call('ZADD', KEYS[3], decimal(now), ARGV[2] .. '@' .. ARGV[3])
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', decimal(now - KEEP_BOOT_US))
return { 0, now, other }
