-- Does Redis take writes in time? This script may write (and so waits out a write pause), but does not.
local now = now_us()
if now > tonumber(ARGV[1]) then return { 2, now } end
return { 0, now }
