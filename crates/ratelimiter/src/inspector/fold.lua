-- Folds the newest entries of logs by writer, generation and second. Reads only.
-- KEYS: a log and the hash of its key, for each log. ARGV: how far back to look (us) and how many entries, for each log.
-- Replies {seconds, micros, log …}; a log is {problem, length, folded, generation, oldest us, unparsable, row …}, a
-- row {writer, generation, second, cost, grants, highest limit}. Oldest is 0 where the fold goes back as far as asked.
local PACKING = '<BI8I6I4I6I8I4'
local MODULUS = 281474976710656
local MOST = 1000000000
local EXACT = 9007199254740992
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])

local function parse(raw)
  if #raw < 40 or #raw > 117 then return nil end
  local format, t, prefix, cost, seq, generation, limit = struct.unpack(PACKING, raw)
  if format ~= 1 or t < 1 or t >= EXACT or generation < 0 or generation >= EXACT or seq < 1
    or cost < 1 or cost > MOST or limit < 1 or limit > MOST then
    return nil
  end
  return t, prefix, cost, generation, limit
end

local reply = { tonumber(time[1]), tonumber(time[2]) }
for i = 1, #KEYS, 2 do
  local back, most = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local length = redis.pcall('LLEN', KEYS[i])
  local stored = redis.pcall('HGET', KEYS[i + 1], 'g')
  local generation = 0
  local problem = ''
  if type(length) == 'table' then
    problem, length = 'the log is not a list', 0
  end
  if type(stored) == 'table' and stored.err then
    problem = 'the hash of the key is not a hash'
  elseif stored then
    generation = tonumber(stored) or -1
    if generation < 0 or generation >= EXACT then
      problem, generation = 'the generation is not a number', 0
    end
  end
  local folded, unparsable, oldest, newer_prefix, newer_cost = 0, 0, 0, nil, nil
  local rows, order = {}, {}
  if length > 0 then
    local entries = redis.call('LRANGE', KEYS[i], -most, -1)
    local reached = #entries == length
    for at = #entries, 1, -1 do
      local raw = entries[at]
      local t, prefix, cost, own, limit = parse(raw)
      if t and t <= now - back then
        reached = true
        break
      end
      folded = folded + 1
      if not t then
        unparsable = unparsable + 1
        newer_prefix = nil
      else
        -- Prefix sums follow each other; where they do not, somebody put in the newer entry who is no limiter.
        if newer_prefix and (prefix + newer_cost) % MODULUS ~= newer_prefix then unparsable = unparsable + 1 end
        newer_prefix, newer_cost = prefix, cost
        if own > generation then generation = own end
        oldest = t
        local writer, second = string.sub(raw, 38), math.floor(t / 1000000)
        local name = writer .. '|' .. string.format('%.0f', own) .. '|' .. second
        local row = rows[name]
        if row then
          row[4], row[5], row[6] = row[4] + cost, row[5] + 1, math.max(row[6], limit)
        else
          row = { writer, own, second, cost, 1, limit }
          rows[name] = row
          order[#order + 1] = row
        end
      end
    end
    if reached then oldest = 0 end
  end
  local log = { problem, length, folded, generation, oldest, unparsable }
  for _, row in ipairs(order) do log[#log + 1] = row end
  reply[#reply + 1] = log
end
return reply
