-- One decision.
-- KEYS: the key's hash, its stored limit, the prefix of its logs (the window completes it: only here is it known which).
-- ARGV: deadline, writer, cost, the request's limit and window ('' = none), default limit, default window.
-- Replies: {status, now, t, seq, generation, limit, window, sum, retry, length, stored limit, stored window}
-- status 0 allowed, 1 refused, 2 late (nothing happened), 3 unreadable (nothing happened); retry in µs, -1 = never.
local now = now_us()
if now > tonumber(ARGV[1]) then return { 2, now } end

local stored, stored_window = stored_limit(KEYS[2])
if stored == nil then return { 3, now, 'limit' } end
local cost = tonumber(ARGV[3])
local limit = stored or tonumber(ARGV[4]) or tonumber(ARGV[6])
local window = tonumber(ARGV[5]) or stored_window or tonumber(ARGV[7])
local window_us = window * 1000
local log = KEYS[3] .. decimal(window)
local field = 'w:' .. decimal(window)

local hash = redis.pcall('HMGET', KEYS[1], 'g', field)
if hash.err then return { 3, now, 'hash' } end
local generation = tonumber(hash[1] or 0)
local known_until = tonumber(hash[2] or 0)
if not generation or not known_until then return { 3, now, 'hash' } end

local function remember_window(until_us)
  redis.call('HSET', KEYS[1], field, decimal(until_us))
  local ttl = math.ceil((until_us - now) / 1000)
  local left = redis.call('PTTL', KEYS[1])
  if left < ttl then redis.call('PEXPIRE', KEYS[1], decimal(ttl)) end
  local size = redis.call('HLEN', KEYS[1])
  if size % 64 == 0 then
    local all = redis.call('HGETALL', KEYS[1])
    for i = 1, #all, 2 do
      if string.sub(all[i], 1, 2) == 'w:' and (tonumber(all[i + 1]) or 0) < now then
        redis.call('HDEL', KEYS[1], all[i])
      end
    end
  end
end

local state = read_log(log, window_us, generation, now)
if not state then
  -- So that a reset finds the log, also one that only a stranger has written to.
  if known_until < now then remember_window(now + window_us + 1000000) end
  return { 3, now, 'log' }
end

if state.sum + cost <= limit then
  local prefix = cost
  if state.predates then
    redis.call('UNLINK', log)
  elseif state.length > 0 then
    prefix = (state.prefix + cost) % MODULUS
  end
  local seq = state.seq + 1
  local length = redis.call('RPUSH', log,
    struct.pack(PACKING, 1, state.t, prefix, cost, seq, state.generation, limit) .. ARGV[2])
  if not state.predates and state.head >= 64 then
    redis.call('LTRIM', log, state.head, -1)
    length = length - state.head
  end
  local until_us = state.t + window_us + 1000000
  redis.call('PEXPIRE', log, decimal(math.ceil((until_us - now) / 1000)))
  if known_until < until_us then remember_window(until_us + window_us) end
  return { 0, now, state.t, seq, state.generation, limit, window, state.sum + cost, 0, length,
    stored or 0, stored_window or 0 }
end

local retry = -1
if cost <= limit then
  -- The first entry whose end frees enough.
  local enough = state.sum + cost - limit
  local low, high = state.head, state.length - 1
  local t
  while low < high do
    local at = math.floor((low + high) / 2)
    local _, prefix = parse(redis.call('LINDEX', log, at))
    if not prefix then return { 3, now, 'log' } end
    if (prefix - state.before) % MODULUS >= enough then high = at else low = at + 1 end
  end
  t = parse(redis.call('LINDEX', log, low))
  if not t then return { 3, now, 'log' } end
  retry = math.max(0, t + window_us - now)
  if state.head >= 64 then redis.call('LTRIM', log, state.head, -1) end
end
return { 1, now, state.t, state.seq, state.generation, limit, window, state.sum, retry, state.length,
  stored or 0, stored_window or 0 }
