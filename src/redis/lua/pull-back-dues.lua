-- Makes keys due at once whose due is farther off than any can have been planned: the server's clock was
-- put back, and they would wait for as long as it was. A chunk a call.
-- KEYS: due
-- ARGV: farthestMs (longest time until a due), chunk
-- Returns: how many dues were pulled back; a full chunk means: call again
local dueKey = KEYS[1]
local farthestMs, chunk = tonumber(ARGV[1]), ARGV[2]

local time = redis.call('TIME')
local nowMs = time[1] * 1000 + math.floor(time[2] / 1000)
local after = string.format('(%.0f', nowMs + farthestMs)
local far = redis.call('ZRANGEBYSCORE', dueKey, after, '+inf', 'LIMIT', 0, chunk)
if #far == 0 then return 0 end
local dues = {}
for _, member in ipairs(far) do
  dues[#dues + 1] = nowMs
  dues[#dues + 1] = member
end
redis.call('ZADD', dueKey, unpack(dues))
return #far
