-- Ends the claims on keys that were looked at and not enqueued: sets when to look next, or forgets
-- them. Only where the claim is still the caller's: a claim that ran out belongs to somebody else.
-- KEYS: due, failing
-- ARGV: claimUntilMs, then per key: member, next due ms ('' forgets it)
-- Returns: how many were settled
local dueKey, failingKey = KEYS[1], KEYS[2]
local claimUntilMs = tonumber(ARGV[1])
local settled = 0

for i = 2, #ARGV, 2 do
  local member, nextDue = ARGV[i], ARGV[i + 1]
  if tonumber(redis.call('ZSCORE', dueKey, member) or nil) == claimUntilMs then
    settled = settled + 1
    if nextDue == '' then
      redis.call('ZREM', dueKey, member)
      redis.call('HDEL', failingKey, member)
    else
      redis.call('ZADD', dueKey, nextDue, member)
    end
  end
end
return settled
