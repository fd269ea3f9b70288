-- Prolongs the lease of a call that is under way, or begins now after it has waited for its permit, and
-- tells whether its origin has asked for a pause meanwhile. A dead process's leases run out.
-- KEYS: origin, leases
-- ARGV: token, leaseMs
-- Returns: us until the origin may be called
local originKey, leasesKey, token, leaseMs = KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[2])
local LONGEST_PAUSE_MS = 3600000

local time = redis.call('TIME')
local nowMs = (time[1] * 1000000 + time[2]) / 1000
redis.call('ZADD', leasesKey, nowMs + leaseMs, token)
redis.call('PEXPIRE', leasesKey, 2 * leaseMs)
local pausedMs = (tonumber(redis.call('HGET', originKey, 'retryUntil')) or 0) - nowMs
return pausedMs <= LONGEST_PAUSE_MS and math.max(0, math.ceil(pausedMs * 1000)) or 0
