-- Keeps the tracker bounded: removes faded keys, and over the limit the coldest ones, a chunk a call.
-- KEYS: heat, due
-- ARGV: fadedBelow (log-heat), maxKeys, chunk
-- Returns: how many keys were removed; a full chunk means: call again
local heatKey, dueKey = KEYS[1], KEYS[2]
local fadedBelow, maxKeys, chunk = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])

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
