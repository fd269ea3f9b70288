-- Ends a load that stored nothing: frees the lock, or leaves the outcome under it for those who wait
-- now, so that they do not become a convoy of loads. Never touches another holder's lock.
-- KEYS: lock
-- ARGV: token, '<ended ms> <outcome>' ('' for none), outcomeTtlMs
-- Returns: 1 released | 0 was not the caller's
local lockKey = KEYS[1]
local token, outcome, outcomeTtlMs = ARGV[1], ARGV[2], ARGV[3]

if string.match(redis.call('GET', lockKey) or '', '^[^=]*') ~= token then return 0 end
if outcome == '' then
  redis.call('DEL', lockKey)
else
  redis.call('SET', lockKey, '=' .. outcome, 'PX', outcomeTtlMs)
end
return 1
