-- What the scripts with a lasting effect share: at most once, and only on the Redis that was meant.
-- ARGV: 1 deadline, 2 hash of operation and body ('' = no idempotency), 3 the run_id required ('' = any), 4 how long a record is kept (ms).
-- Replies begin {status, now, run_id}; status 0 done, 1 replayed (+ answer), 2 late, 3 used for something else,
-- 4 another Redis, 5 version differs (+ version, 0 = none), 6 there is none.
local now = now_us()
if now > tonumber(ARGV[1]) then return { 2, now, '' } end
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or ''
local record = KEYS[1]
if ARGV[2] ~= '' then
  local before = redis.call('HMGET', record, 'body', 'answer')
  if before[1] then
    if before[1] ~= ARGV[2] then return { 3, now, run_id } end
    return { 1, now, run_id, tonumber(before[2]) }
  end
end
if ARGV[3] ~= '' and ARGV[3] ~= run_id then return { 4, now, run_id } end

local function done(answer)
  if ARGV[2] ~= '' then
    redis.call('HSET', record, 'body', ARGV[2], 'run_id', run_id, 'answer', decimal(answer))
    redis.call('PEXPIRE', record, ARGV[4])
  end
  return { 0, now, run_id, answer }
end
