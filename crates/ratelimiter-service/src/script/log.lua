-- What every script shares: Redis's clock, and how the log of one (key, window) is read.
local PACKING = '<BI8I6I4I6I8I4'
local MODULUS = 281474976710656 -- 2^48: prefixes are kept modulo this
local MOST = 1000000000
local EXACT = 9007199254740992 -- 2^53: integers are exact in Lua up to here

local function now_us()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000000 + tonumber(time[2])
end

local function decimal(number)
  return string.format('%.0f', number)
end

-- t, prefix, cost, seq, generation, limit of one entry; nil if it is none.
local function parse(raw)
  if type(raw) ~= 'string' or #raw < 40 or #raw > 117 then return nil end
  local format, t, prefix, cost, seq, generation, limit = struct.unpack(PACKING, raw)
  if format ~= 1 or t < 1 or t >= EXACT or generation < 0 or generation >= EXACT or seq < 1
    or cost < 1 or cost > MOST or limit < 1 or limit > MOST then
    return nil
  end
  return t, prefix, cost, seq, generation, limit
end

-- Index, prefix and cost of the first entry younger than `from`. There is one: the caller knows
-- that the last entry is. Gallops from the head, since little expires between two calls. Nil: an entry
-- on the way is none.
local function first_younger(log, length, from)
  local t, prefix, cost = parse(redis.call('LINDEX', log, 0))
  if not t then return nil end
  if t > from then return 0, prefix, cost end
  local old, step = 0, 1
  local found, found_prefix, found_cost
  while not found do
    local at = math.min(old + step, length - 1)
    t, prefix, cost = parse(redis.call('LINDEX', log, at))
    if not t then return nil end
    if t > from then
      found, found_prefix, found_cost = at, prefix, cost
    elseif at == length - 1 then
      return nil
    else
      old, step = at, step * 2
    end
  end
  while found - old > 1 do
    local at = math.floor((old + found) / 2)
    t, prefix, cost = parse(redis.call('LINDEX', log, at))
    if not t then return nil end
    if t > from then
      found, found_prefix, found_cost = at, prefix, cost
    else
      old = at
    end
  end
  return found, found_prefix, found_cost
end

-- The state of one log at `now`, or nil if it cannot be read.
local function read_log(log, window_us, generation, now)
  local raw = redis.pcall('LINDEX', log, -1)
  if raw == false then
    return { t = now, seq = 0, generation = generation, sum = 0, length = 0, prefix = 0, head = 0 }
  end
  local t, prefix, _, seq, own, limit = parse(raw)
  if not t then return nil end
  local state = { t = math.max(now, t), seq = seq, generation = math.max(generation, own), sum = 0,
    length = redis.call('LLEN', log), prefix = prefix, head = 0, limit = limit }
  if own < state.generation then
    state.predates = true
    return state
  end
  local from = state.t - window_us
  if t <= from then
    state.head = state.length - 1
    return state
  end
  local head, head_prefix, head_cost = first_younger(log, state.length, from)
  if not head then return nil end
  state.head, state.before = head, head_prefix - head_cost
  state.sum = (prefix - state.before) % MODULUS
  -- Limits end at 1e9, so no window holds more, whatever was changed or reset: this is no prefix of ours.
  -- An outside writer may overshoot; it is believed up to a thousandfold.
  if state.sum < 1 or state.sum > MOST * 1000 then return nil end
  return state
end

-- limit and window of the stored record, each false if there is none; nil if it cannot be read.
local function stored_limit(key)
  local record = redis.pcall('HMGET', key, 'limit', 'window_ms')
  if record.err then return nil end
  for i = 1, 2 do
    if record[i] then
      record[i] = tonumber(record[i])
      if not record[i] or record[i] < 1 or record[i] > MOST or record[i] % 1 ~= 0 then return nil end
    end
  end
  return record[1], record[2]
end
