-- One counter, read only. KEYS as in check.lua. ARGV: window ('' = choose), default limit, default window.
-- Replies: {status, now, seq, generation, limit, window, sum, windows …}; status 0 fine, 3 unreadable.
local now = now_us()
local stored, stored_window = stored_limit(KEYS[2])
local hash = redis.pcall('HGETALL', KEYS[1])
local generation, windows = 0, {}
local readable = stored ~= nil and not hash.err
if not hash.err then
  for i = 1, #hash, 2 do
    if hash[i] == 'g' then
      generation = tonumber(hash[i + 1])
    elseif string.sub(hash[i], 1, 2) == 'w:' then
      local window = tonumber(string.sub(hash[i], 3))
      if window and redis.call('EXISTS', KEYS[3] .. decimal(window)) == 1 then table.insert(windows, window) end
    end
  end
end
table.sort(windows)
local default = tonumber(ARGV[3])
local window = tonumber(ARGV[1]) or stored_window
if not window then
  window = windows[1] or default
  for _, used in ipairs(windows) do
    if used == default then window = default end
  end
end
local state
if readable and generation then state = read_log(KEYS[3] .. decimal(window), window * 1000, generation, now) end
local reply
if state then
  reply = { 0, now, state.seq, state.generation, stored or state.limit or tonumber(ARGV[2]), window, state.sum }
else
  reply = { 3, now, 0, generation or 0, stored or tonumber(ARGV[2]), window, 0 }
end
for _, used in ipairs(windows) do table.insert(reply, used) end
return reply
