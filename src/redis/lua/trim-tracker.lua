-- Keeps the tracker bounded: removes faded keys, and over the limit the coldest ones, a chunk a call.
-- By a fast clock every key has faded: a caller's counts only as far as it can be right.
-- KEYS: heat, due
-- ARGV: nowMs, mostSkewMs, halfLifeMs, fadedBelow (log-heat at nowMs), maxKeys, chunk
-- Returns: how many keys were removed; a full chunk means: call again
local heatKey, dueKey = KEYS[1], KEYS[2]
local mostSkewMs, halfLifeMs = tonumber(ARGV[2]), tonumber(ARGV[3])
local maxKeys, chunk = tonumber(ARGV[5]), tonumber(ARGV[6])
local time = redis.call('TIME')
local serverMs = time[1] * 1000 + time[2] / 1000
local nowMs = math.max(serverMs - mostSkewMs, math.min(serverMs + mostSkewMs, tonumber(ARGV[1])))
local fadedBelow = string.format('%.17g', tonumber(ARGV[4]) + (nowMs - tonumber(ARGV[1])) / halfLifeMs)

local cold = redis.call('ZRANGEBYSCORE', heatKey, '-inf', fadedBelow, 'LIMIT', 0, chunk)
if #cold == 0 then
  local count = redis.call('ZCARD', heatKey)
  if count <= maxKeys then return 0 end
  local excess = math.min(chunk, count - math.floor(maxKeys * 0.9))
  cold = redis.call('ZRANGE', heatKey, 0, excess - 1)
end
redis.call('ZREM', heatKey, unpack(cold))
redis.call('ZREM', dueKey, unpack(cold))
return #cold
