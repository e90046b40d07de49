-- Stores or deletes a key's limit. KEYS: idempotency record, limit record.
-- ARGV: those of once.lua, 5 writer, 6 version required ('' = any, '*' = some), 7 '1' = only if there is none,
-- 8 limit ('' = delete), 9 window ('' = none).
local KEEP_DELETED_MS = 1036800000 -- 12 days, longer than the longest window
local kind = redis.call('TYPE', KEYS[2]).ok
if kind ~= 'hash' and kind ~= 'none' then redis.call('UNLINK', KEYS[2]) end
local current = redis.call('HMGET', KEYS[2], 'limit', 'window_ms', 'version', 'previous')
local version = tonumber(current[3] or 0) or 0
local exists = current[1] ~= false

if (ARGV[6] == '*' and not exists) or (ARGV[7] == '1' and exists)
  or (ARGV[6] ~= '' and ARGV[6] ~= '*' and (not exists or tonumber(ARGV[6]) ~= version)) then
  return { 5, now, run_id, exists and version or 0 }
end
if ARGV[8] == '' and not exists then return { 6, now, run_id } end
if ARGV[8] ~= '' and exists and current[1] == ARGV[8] and (current[2] or '') == ARGV[9] then
  return done(version)
end

local next_version = math.max(now, version + 1)
local previous = current[4] or ''
if version > 0 then
  local was = (current[1] or '0') .. ':' .. (current[2] or '0') .. ':' .. decimal(version) .. ':' .. decimal(next_version)
  local kept, count = { was }, 1
  for item in string.gmatch(previous, '[^,]+') do
    if count < 16 then
      table.insert(kept, item)
      count = count + 1
    end
  end
  previous = table.concat(kept, ',')
end
redis.call('HSET', KEYS[2], 'version', decimal(next_version), 'by', ARGV[5], 'previous', previous)
if ARGV[8] == '' then
  redis.call('HDEL', KEYS[2], 'limit', 'window_ms')
  redis.call('PEXPIRE', KEYS[2], KEEP_DELETED_MS)
else
  redis.call('HSET', KEYS[2], 'limit', ARGV[8])
  if ARGV[9] == '' then redis.call('HDEL', KEYS[2], 'window_ms') else redis.call('HSET', KEYS[2], 'window_ms', ARGV[9]) end
  redis.call('PERSIST', KEYS[2])
end
return done(next_version)
