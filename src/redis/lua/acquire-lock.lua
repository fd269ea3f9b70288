-- Gives the caller each key's lock, or what makes its load needless: a newer entry than the caller
-- knows, the outcome of a load that ended while it waited, or word that somebody is on it. Closes the
-- race between "is it still missing?" and "I load it". Under the lock's key stand the holder's token,
-- and "=<ended ms> <outcome>" of the load before it: a new holder must not hide it from who waited.
-- KEYS: entry, lock (of each call)
-- ARGV: token, lockTtlMs, seenCreatedAt (6 bytes; zeros: saw none), waitingSinceMs (of each call)
-- Returns: of each call {0, header or ''} acquired | {1, entry} | {2, outcome} | {3, lock's remaining ms} held
local function acquire(entryKey, lockKey, token, lockTtlMs, seenCreatedAt, waitingSinceMs)
  local isString = redis.call('TYPE', entryKey).ok == 'string'
  local header = isString and redis.call('GETRANGE', entryKey, 0, 39) or ''
  local isOurs = #header == 40 and string.sub(header, 1, 3) == 'EW\1'
  local isInvalidated = isOurs and math.floor(string.byte(header, 4) / 4) % 2 == 1
  if isOurs and not isInvalidated and string.sub(header, 5, 10) ~= seenCreatedAt then
    return {1, redis.call('GET', entryKey)}
  end

  local current = redis.call('GET', lockKey) or ''
  local holder, left = string.match(current, '^([^=]*)(.*)$')
  if holder ~= token then
    local endedAtMs, outcome = string.match(left, '^=(%S+) (.*)$')
    if outcome and tonumber(endedAtMs) >= tonumber(waitingSinceMs) then return {2, outcome} end
    if holder ~= '' then return {3, redis.call('PTTL', lockKey)} end
  end
  redis.call('SET', lockKey, token .. left, 'PX', lockTtlMs)
  -- An allkeys-lfu server evicts the freshest key first; touched, the lock outlives its load.
  local k = lockKey
  redis.call('TOUCH', k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k)
  return {0, isOurs and header or ''}
end

local replies = {}
for i = 1, #KEYS / 2 do
  replies[i] = acquire(KEYS[2 * i - 1], KEYS[2 * i], unpack(ARGV, 4 * i - 3, 4 * i))
end
return replies
