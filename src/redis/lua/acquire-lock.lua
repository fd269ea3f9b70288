-- Gives the caller the key's lock, or what makes the load needless: a newer entry than the caller
-- knows, the outcome a holder left, or word that somebody is on it. Closes the race between "is it
-- still missing?" and "I load it".
-- KEYS: entry, lock
-- ARGV: token, lockTtlMs, seenCreatedAt (6 bytes; zeros: saw none), acceptOutcome ('1' for a waiter)
-- Returns: {0, header or ''} acquired | {1, entry} | {2, outcome} | {3, lock's remaining ms} held
local entryKey, lockKey = KEYS[1], KEYS[2]
local token, lockTtlMs, seenCreatedAt, acceptOutcome = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local isString = redis.call('TYPE', entryKey).ok == 'string'
local header = isString and redis.call('GETRANGE', entryKey, 0, 39) or ''
local isOurs = #header == 40 and string.sub(header, 1, 3) == 'EW\1'
local isInvalidated = isOurs and math.floor(string.byte(header, 4) / 4) % 2 == 1
if isOurs and not isInvalidated and string.sub(header, 5, 10) ~= seenCreatedAt then
  return {1, redis.call('GET', entryKey)}
end

local holder = redis.call('GET', lockKey)
if holder and holder ~= token then
  if string.sub(holder, 1, 1) ~= '=' then return {3, redis.call('PTTL', lockKey)} end
  if acceptOutcome == '1' then return {2, string.sub(holder, 2)} end
end
redis.call('SET', lockKey, token, 'PX', lockTtlMs)
-- An allkeys-lfu server evicts the freshest key first; touched, the lock outlives its load.
local k = lockKey
redis.call('TOUCH', k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k)
return {0, isOurs and header or ''}
