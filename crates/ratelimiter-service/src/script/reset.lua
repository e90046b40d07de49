-- A new generation for a key: all its logs of older ones stop counting.
-- KEYS: idempotency record, the key's hash, the prefix of its logs. ARGV: those of once.lua.
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('UNLINK', KEYS[2]) end
local generation = math.max(now, (tonumber(redis.call('HGET', KEYS[2], 'g') or 0) or 0) + 1)
-- A log whose last entry cannot be read cannot say its generation either: it goes now.
for _, field in ipairs(redis.call('HKEYS', KEYS[2])) do
  if string.sub(field, 1, 2) == 'w:' then
    local log = KEYS[3] .. string.sub(field, 3)
    local raw = redis.pcall('LINDEX', log, -1)
    if raw ~= false and not parse(raw) then redis.call('UNLINK', log) end
  end
end
redis.call('HSET', KEYS[2], 'g', decimal(generation))
-- As long as the longest window, since a log may be there that this hash does not know of.
redis.call('PEXPIRE', KEYS[2], MOST + 2000)
return done(generation)
