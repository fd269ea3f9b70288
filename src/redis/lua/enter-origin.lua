-- Lets one call to an origin begin, or says what stands in its way and for how long: one step, so that
-- no two take the last place, one alone is the probe of an open breaker, and nobody overtakes a more
-- urgent one that was refused. Instants of permits are of a clock that never steps back.
-- KEYS: origin, leases, grants, clock
-- ARGV: token, leaseMs, rank (0 goes first), concurrency, max (0: none), kept, windowUs, maxWaitUs, openForMs, rampMs
-- Returns: {1, us to wait} granted | {0, us until it can be, why, us since it opened} refused
local originKey, leasesKey, grantsKey, clockKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local token, leaseMs, rank = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local cap, max, kept = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local windowUs, maxWaitUs, openForMs, rampMs = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local RAMP, RAMP_OF, WAITING_MS, POLL_MS, LONGEST_PAUSE_MS, KEPT_MS = { 0.1, 0.25, 0.5 }, 20, 300, 50, 3600000, 7200000

local time = redis.call('TIME')
local timeUs = time[1] * 1000000 + time[2]
local nowMs = timeUs / 1000
local state = redis.call('HMGET', originKey, 'retryUntil', 'openUntil', 'rampFrom', 'openedAt', 'waiting0', 'waiting1', 'probe')
local function left(index, mostMs)
  local ms = (tonumber(state[index]) or 0) - nowMs
  return ms <= mostMs and ms or 0 -- farther than it can be: the server's clock has stepped back
end
local function refuse(waitMs, why, waits)
  redis.call('HSET', originKey, 'refusedAt', nowMs, waits and 'waiting' .. rank or 'refusedAt', nowMs + (waits and waitMs + WAITING_MS or 0))
  redis.call('PEXPIRE', originKey, KEPT_MS)
  return {0, math.ceil(waitMs * 1000), why, why == 'breaker' and math.max(0, timeUs - state[4] * 1000) or 0}
end

if left(1, LONGEST_PAUSE_MS) > 0 then return refuse(left(1, LONGEST_PAUSE_MS), 'retry-after') end
redis.call('ZREMRANGEBYSCORE', leasesKey, '-inf', nowMs)
redis.call('ZREMRANGEBYSCORE', leasesKey, string.format('(%.17g', nowMs + leaseMs), '+inf')
local rampFrom = tonumber(state[3])
local isHalfOpen = openForMs > 0 and state[2] and not rampFrom
if isHalfOpen then
  if left(2, openForMs) > 0 then return refuse(left(2, openForMs), 'breaker') end
  if state[7] and redis.call('ZSCORE', leasesKey, state[7]) then return refuse(POLL_MS, 'breaker') end
end
local share = rampFrom and RAMP[math.floor(#RAMP * math.max(0, nowMs - rampFrom) / rampMs) + 1]
if share then cap, max = math.max(1, math.floor((cap > 0 and cap or RAMP_OF) * share)), math.ceil(max * share) end
local mostMs = 2 * windowUs / 1000 + WAITING_MS + POLL_MS
local moreUrgentMs = math.max(rank > 0 and left(5, mostMs) or 0, rank > 1 and left(6, mostMs) or 0)
if moreUrgentMs > 0 then return refuse(moreUrgentMs, cap > 0 and 'concurrency' or 'rate', true) end
if cap > 0 and redis.call('ZCARD', leasesKey) >= cap then return refuse(POLL_MS, 'concurrency', true) end
local waitUs = 0
if max > 0 then
  local lastUs, offsetUs = string.match(redis.call('GET', clockKey) or '', '^(%d+) (%d+)$')
  local nowUs = math.max(timeUs + (tonumber(offsetUs) or 0), tonumber(lastUs) or 0)
  waitUs = math.max(0, (tonumber(redis.call('LINDEX', grantsKey, -max)) or -windowUs) + windowUs - nowUs)
  if rank > 0 then waitUs = math.max(waitUs, (tonumber(redis.call('LINDEX', grantsKey, -1)) or 0) - nowUs) end
  if waitUs > maxWaitUs then return refuse(waitUs / 1000, 'rate', true) end
  redis.call('RPUSH', grantsKey, string.format('%.0f', nowUs + waitUs))
  redis.call('LTRIM', grantsKey, -kept, -1)
  redis.call('PEXPIRE', grantsKey, math.ceil((waitUs + windowUs) / 1000))
  redis.call('SET', clockKey, string.format('%.0f %.0f', nowUs, nowUs - timeUs), 'PX', math.ceil((waitUs + windowUs) / 1000))
end
if isHalfOpen then redis.call('HSET', originKey, 'probe', token) end
redis.call('ZADD', leasesKey, nowMs + leaseMs, token)
redis.call('PEXPIRE', leasesKey, 2 * leaseMs)
return {1, waitUs}
