-- Ends a call to an origin: its place is free, and how it ended counts for the whole fleet. Failures in a
-- row open the breaker; while it is open the probe's end alone says anything, and after that no call from before.
-- KEYS: origin, leases
-- ARGV: token, 'answered' | 'failed' | 'none', ms since its start, pauseMs (0: none), failures to open (0: no breaker), openForMs
-- Returns: what that changed, '' | 'opened' | 'closed' | 'paused'
local originKey, leasesKey, token, ending = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local ageMs, pauseMs, toOpen, openForMs = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local KEPT_MS = 7200000

redis.call('ZREM', leasesKey, token)
local time = redis.call('TIME')
local nowMs = (time[1] * 1000000 + time[2]) / 1000
local state = redis.call('HMGET', originKey, 'retryUntil', 'openUntil', 'rampFrom', 'probe')
local rampFrom = tonumber(state[3])
local isOpen, isProbe = state[2] and not rampFrom, state[4] == token
local change = ''

local function open(openedAtMs)
  redis.call('HSET', originKey, 'openUntil', nowMs + openForMs, 'openedAt', openedAtMs or redis.call('HGET', originKey, 'openedAt'))
  redis.call('HDEL', originKey, 'rampFrom', 'probe', 'failures')
  return 'opened'
end

if toOpen > 0 and isOpen and isProbe then
  if ending == 'failed' then change = open()
  elseif ending == 'answered' then
    redis.call('HSET', originKey, 'rampFrom', nowMs)
    redis.call('HDEL', originKey, 'probe', 'failures')
    change = 'closed'
  end
elseif toOpen > 0 and not isOpen then
  if ending == 'answered' then redis.call('HDEL', originKey, 'failures')
  elseif ending == 'failed' and nowMs - ageMs >= (rampFrom or 0) then
    if redis.call('HINCRBY', originKey, 'failures', 1) >= toOpen then change = open(nowMs) end
  end
end
if pauseMs > 0 and nowMs + pauseMs > (tonumber(state[1]) or 0) then
  redis.call('HSET', originKey, 'retryUntil', nowMs + pauseMs)
  if change == '' then change = 'paused' end
end
if redis.call('EXISTS', originKey) == 1 then redis.call('PEXPIRE', originKey, KEPT_MS) end
return change
