-- Grants permits in order, all at the first instant at which no window that ends there holds more than
-- max. One to be waited for is reserved, so that nobody asks again; one that takes longer than the
-- caller waits is refused, and changes nothing. Instants are microseconds of a clock that stands still
-- where the server's steps back: else every grant since then would have to be waited for anew.
-- KEYS: grants, clock
-- ARGV: permits, max, windowUs, maxWaitUs
-- Returns: {1, us to wait, remaining, us until the next one} granted | {0, us until it can be, remaining} refused
local grantsKey, clockKey = KEYS[1], KEYS[2]
local permits, max = tonumber(ARGV[1]), tonumber(ARGV[2])
local windowUs, maxWaitUs = tonumber(ARGV[3]), tonumber(ARGV[4])
local CHUNK = 1000

local time = redis.call('TIME')
local timeUs = time[1] * 1000000 + time[2]
local lastUs, offsetUs = string.match(redis.call('GET', clockKey) or '', '^(%d+) (%d+)$')
local nowUs = math.max(timeUs + (tonumber(offsetUs) or 0), tonumber(lastUs) or 0)

local function instantOf(index)
  return tonumber(redis.call('LINDEX', grantsKey, index))
end

-- How many grants have left the window: they are in order.
local length = redis.call('LLEN', grantsKey)
local past, ahead = 0, length
while past < ahead do
  local middle = math.floor((past + ahead) / 2)
  if instantOf(middle) <= nowUs - windowUs then past = middle + 1 else ahead = middle end
end
local remaining = max - length + past

local atUs, over = nowUs, length + permits - max
if over > 0 then atUs = math.max(nowUs, instantOf(over - 1) + windowUs) end
local waitUs = atUs - nowUs
if waitUs > maxWaitUs then return {0, waitUs, remaining} end

local grants = {}
for i = 1, math.min(permits, CHUNK) do grants[i] = string.format('%.0f', atUs) end
for left = permits, 1, -CHUNK do
  redis.call('RPUSH', grantsKey, unpack(grants, 1, math.min(left, CHUNK)))
end
redis.call('LTRIM', grantsKey, -max, -1)
local lifeMs = math.ceil((waitUs + windowUs) / 1000)
redis.call('PEXPIRE', grantsKey, lifeMs)
redis.call('SET', clockKey, string.format('%.0f %.0f', nowUs, nowUs - timeUs), 'PX', lifeMs)
local nextUs = length + permits < max and 0 or instantOf(0) + windowUs - nowUs
return {1, waitUs, waitUs > 0 and 0 or remaining - permits, math.max(0, nextUs)}
