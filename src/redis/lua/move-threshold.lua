-- Moves a loader's threshold, on what the caller has seen of its judged lives: nothing if another scheduler
-- moved it on the same lives, or within the lease. So it takes one step a lease, on lives not yet counted.
-- KEYS: stats
-- ARGV: nowMs, leaseMs, expireSeconds, seen countedUsed, seen countedWasted, then new: threshold, recentUsed, recentWasted, countedUsed, countedWasted
-- Returns: 1 moved, 0 not
local statsKey = KEYS[1]
local nowMs, leaseMs, expireSeconds = tonumber(ARGV[1]), tonumber(ARGV[2]), ARGV[3]
local seenUsed, seenWasted = tonumber(ARGV[4]), tonumber(ARGV[5])

local state = redis.call('HMGET', statsKey, 'movedAtMs', 'countedUsed', 'countedWasted')
local movedAtMs = tonumber(state[1] or '-inf')
if math.abs(nowMs - movedAtMs) < leaseMs then return 0 end
if tonumber(state[2] or 0) ~= seenUsed or tonumber(state[3] or 0) ~= seenWasted then return 0 end

redis.call('HSET', statsKey, 'movedAtMs', ARGV[1], 'threshold', ARGV[6], 'recentUsed', ARGV[7],
  'recentWasted', ARGV[8], 'countedUsed', ARGV[9], 'countedWasted', ARGV[10])
redis.call('EXPIRE', statsKey, expireSeconds)
return 1
