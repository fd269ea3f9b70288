-- Ends the claims of keys a worker is done with. Landed or skipped: the next first look. Failed: the
-- end of the backoff (ends in .25, so that reads do not bring it forward). Nothing found: untracked.
-- A key that nobody tracks any more stays untracked.
-- KEYS: due, failing
-- ARGV: expireSeconds, then per key: member, next due ms ('' untracks), failure as JSON ('' for none)
-- Returns: how many keys have a due
local dueKey, failingKey = KEYS[1], KEYS[2]
local expireSeconds = ARGV[1]
local MAX_FAILING = 10000
local dues, kept = {}, 0
local isAnyFailing = redis.call('EXISTS', failingKey) == 1

for i = 2, #ARGV, 3 do
  local member, nextDue, failure = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if nextDue == '' then
    redis.call('ZREM', dueKey, member)
  else
    dues[#dues + 1] = nextDue
    dues[#dues + 1] = member
    kept = kept + 1
  end
  if failure == '' then
    if isAnyFailing then redis.call('HDEL', failingKey, member) end
  elseif redis.call('HLEN', failingKey) < MAX_FAILING or redis.call('HEXISTS', failingKey, member) == 1 then
    redis.call('HSET', failingKey, member, failure)
    redis.call('EXPIRE', failingKey, expireSeconds)
  end
end
if kept > 0 then redis.call('ZADD', dueKey, 'XX', unpack(dues)) end
return kept
