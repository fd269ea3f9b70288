-- Ends a call to an origin: its place is free, and how it ended counts for the whole fleet. So many failures
-- of the last calls open the breaker; while it is open the probe's end alone says anything, and after that no
-- call from before.
-- KEYS: origin, leases
-- ARGV: token, 'answered' | 'failed' | 'none', ms since its start, pauseMs (0: none), failures to open (0: no breaker), of so many calls, openForMs
-- Returns: what that changed, '' | 'opened' | 'closed' | 'paused'
local originKey, leasesKey, token, ending = KEYS[1], KEYS[2], ARGV[1], ARGV[2]
local ageMs, pauseMs = tonumber(ARGV[3]), tonumber(ARGV[4])
local toOpen, of, openForMs = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
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
  redis.call('HDEL', originKey, 'rampFrom', 'probe', 'ends')
  return 'opened'
end

if toOpen > 0 and isOpen and isProbe then
  if ending == 'failed' then change = open()
  elseif ending == 'answered' then
    redis.call('HSET', originKey, 'rampFrom', nowMs)
    redis.call('HDEL', originKey, 'probe', 'ends')
    change = 'closed'
  end
elseif toOpen > 0 and not isOpen and (ending == 'answered' or ending == 'failed' and nowMs - ageMs >= (rampFrom or 0)) then
  -- One character for each of the last calls.
  local ends = string.sub((redis.call('HGET', originKey, 'ends') or '') .. (ending == 'failed' and 'x' or '.'), -of)
  local _, failures = string.gsub(ends, 'x', '')
  if failures >= toOpen then change = open(nowMs)
  elseif failures > 0 then redis.call('HSET', originKey, 'ends', ends)
  else redis.call('HDEL', originKey, 'ends') end
end
if pauseMs > 0 and nowMs + pauseMs > (tonumber(state[1]) or 0) then
  redis.call('HSET', originKey, 'retryUntil', nowMs + pauseMs)
  if change == '' then change = 'paused' end
end
if redis.call('EXISTS', originKey) == 1 then redis.call('PEXPIRE', originKey, KEPT_MS) end
return change
