-- What a client that is none of the nodes would do: append well-formed entries to the log of one (key, window).
-- The packing is the service's, as its redis-layout.md has it.
local log, hash = KEYS[1], KEYS[2]
local window_ms, entries, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local limit, writer = tonumber(ARGV[4]), ARGV[5]
local now = redis.call('TIME')
local t = now[1] * 1000000 + now[2]
local generation = tonumber(redis.call('HGET', hash, 'g') or '0')
local prefix, seq = 0, 0
local last = redis.call('LINDEX', log, -1)
if last then
  local _, last_t, last_prefix, _, last_seq, last_generation, last_limit = struct.unpack('<BI8I6I4I6I8I4', last)
  t, seq, limit = math.max(t, last_t), last_seq, last_limit
  if last_generation < generation then
    -- The whole log is older than the last reset.
    redis.call('DEL', log)
  else
    generation, prefix = last_generation, last_prefix
  end
end
for _ = 1, entries do
  prefix = (prefix + cost) % 281474976710656
  seq = seq + 1
  redis.call('RPUSH', log, struct.pack('<BI8I6I4I6I8I4', 1, t, prefix, cost, seq, generation, limit) .. writer)
end
redis.call('PEXPIRE', log, window_ms + 1000)
redis.call('HSET', hash, 'w:' .. ARGV[1], string.format('%.0f', t + (window_ms + 1000) * 1000))
if redis.call('PTTL', hash) < window_ms + 1000 then
  redis.call('PEXPIRE', hash, window_ms + 1000)
end
return redis.call('LLEN', log)
