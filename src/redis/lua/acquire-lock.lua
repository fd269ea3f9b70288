-- Gives the caller each key's lock, or what makes its load needless: a newer entry than the caller
-- knows, the outcome of a load that ended while it waited, or word that somebody is on it. Closes the
-- race between "is it still missing?" and "I load it". Under the lock's key stand the holder's token,
-- "=<ended ms> <outcome>" of the load before it, which a new holder must not hide from who waited, and a
-- line feed if somebody waits for the end of its load: to the release before, all from "=" on was outcome.
-- KEYS: entry, lock (of each key)
-- ARGV: keys, token, lockTtlMs, waitingSinceMs, '1' if it will wait, createdAt seen of each key with blanks between ('': saw none) (of each call)
-- Returns: of each key 0 acquired, no entry | {0, header and extension} acquired | {1, entry} | {2, outcome} | {3, lock's remaining ms} held
local isLfu

local function createdAtMs(header)
  local a, b, c, d, e, f = string.byte(header, 5, 10)
  return ((((a * 256 + b) * 256 + c) * 256 + d) * 256 + e) * 256 + f
end

local function acquire(entryKey, lockKey, token, lockTtlMs, seenCreatedAtMs, waitingSinceMs, waits)
  -- pcall: under our name may be a key of another Redis type.
  local header = redis.pcall('GETRANGE', entryKey, 0, 39)
  local isOurs = type(header) == 'string' and #header == 40 and string.sub(header, 1, 3) == 'EW\1'
  local isInvalidated = isOurs and math.floor(string.byte(header, 4) / 4) % 2 == 1
  if isOurs and not isInvalidated and createdAtMs(header) ~= seenCreatedAtMs then
    return {1, redis.call('GET', entryKey)}
  end

  -- Free, as nearly always: one command tells and takes it.
  if not redis.call('SET', lockKey, token, 'NX', 'PX', lockTtlMs) then
    local holder, left, mark = string.match(redis.call('GET', lockKey), '^([^=]*)(.-)(\n?)$')
    if holder ~= token then
      local endedAtMs, outcome = string.match(left, '^=(%S+) (.*)$')
      if outcome and tonumber(endedAtMs) >= tonumber(waitingSinceMs) then return {2, outcome} end
      if holder ~= '' then
        if waits == '1' and mark == '' then redis.call('SET', lockKey, holder .. (left == '' and '=' or left) .. '\n', 'KEEPTTL') end
        return {3, redis.call('PTTL', lockKey)}
      end
    end
    redis.call('SET', lockKey, token .. left .. mark, 'PX', lockTtlMs)
  end
  -- An allkeys-lfu server evicts the freshest key first; touched, the lock outlives its load.
  if isLfu == nil then isLfu = type(redis.pcall('OBJECT', 'IDLETIME', lockKey)) ~= 'number' end
  local k = lockKey
  if isLfu then redis.call('TOUCH', k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k) end
  if not isOurs then return 0 end
  local extensionBytes = 256 * string.byte(header, 39) + string.byte(header, 40)
  if extensionBytes > 0 then header = redis.call('GETRANGE', entryKey, 0, 39 + extensionBytes) end
  return {0, header}
end

local replies, at = {}, 0
for call = 1, #ARGV, 6 do
  local keys, token, lockTtlMs, waitingSinceMs, waits, seen = unpack(ARGV, call, call + 5)
  local nextSeen = string.gmatch(seen, '%d+')
  for i = at + 1, at + keys do
    local seenCreatedAtMs = tonumber(nextSeen() or 0)
    replies[i] = acquire(KEYS[2 * i - 1], KEYS[2 * i], token, lockTtlMs, seenCreatedAtMs, waitingSinceMs, waits)
  end
  at = at + keys
end
return replies
