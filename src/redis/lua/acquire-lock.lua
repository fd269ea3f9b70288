-- Gives the caller each key's lock, or what makes its load needless: a newer entry than the caller
-- knows, the outcome of a load that ended while it waited, or word that somebody is on it. Closes the
-- race between "is it still missing?" and "I load it". Under the lock's key stand the holder's token,
-- "=<ended ms> <outcome>" of the load before it, which a new holder must not hide from who waited, and a
-- line feed if somebody waits for the end of its load: to the release before, all from "=" on was outcome.
-- KEYS: entry, lock (of each call)
-- ARGV: token, lockTtlMs, seenCreatedAt (6 bytes; zeros: saw none), waitingSinceMs, '1' if it will wait (of each call)
-- Returns: of each call {0, header and extension or ''} acquired | {1, entry} | {2, outcome} | {3, lock's remaining ms} held
local function acquire(entryKey, lockKey, token, lockTtlMs, seenCreatedAt, waitingSinceMs, waits)
  local isString = redis.call('TYPE', entryKey).ok == 'string'
  local header = isString and redis.call('GETRANGE', entryKey, 0, 39) or ''
  local isOurs = #header == 40 and string.sub(header, 1, 3) == 'EW\1'
  local isInvalidated = isOurs and math.floor(string.byte(header, 4) / 4) % 2 == 1
  if isOurs and not isInvalidated and string.sub(header, 5, 10) ~= seenCreatedAt then
    return {1, redis.call('GET', entryKey)}
  end

  local current = redis.call('GET', lockKey) or ''
  local holder, left, mark = string.match(current, '^([^=]*)(.-)(\n?)$')
  if holder ~= token then
    local endedAtMs, outcome = string.match(left, '^=(%S+) (.*)$')
    if outcome and tonumber(endedAtMs) >= tonumber(waitingSinceMs) then return {2, outcome} end
    if holder ~= '' then
      if waits == '1' and mark == '' then redis.call('SET', lockKey, holder .. (left == '' and '=' or left) .. '\n', 'KEEPTTL') end
      return {3, redis.call('PTTL', lockKey)}
    end
  end
  redis.call('SET', lockKey, token .. left .. mark, 'PX', lockTtlMs)
  -- An allkeys-lfu server evicts the freshest key first; touched, the lock outlives its load.
  local k = lockKey
  redis.call('TOUCH', k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k)
  if not isOurs then return {0, ''} end
  local extensionBytes = 256 * string.byte(header, 39) + string.byte(header, 40)
  if extensionBytes > 0 then header = redis.call('GETRANGE', entryKey, 0, 39 + extensionBytes) end
  return {0, header}
end

local replies = {}
for i = 1, #KEYS / 2 do
  replies[i] = acquire(KEYS[2 * i - 1], KEYS[2 * i], unpack(ARGV, 5 * i - 4, 5 * i))
end
return replies
