-- Writes what each load made, only while its lock is still held: invalidate and set delete the lock,
-- so a load that started before either, or that lost its lock, is never written. Who waits for it is woken.
-- KEYS: entry, lock (of each call)
-- ARGV: token, entry ('' where nothing was found), lifeMs, '<ended ms> <outcome>', outcomeTtlMs (of each call)
-- Returns: of each call 1 written | 0 refused: the lock is not the caller's | -1 refused: a newer format is there
local function commit(entryKey, lockKey, token, bytes, lifeMs, outcome, outcomeTtlMs)
  local isString = redis.call('TYPE', entryKey).ok == 'string'
  local current = isString and redis.call('GETRANGE', entryKey, 0, 39) or ''
  local held = redis.call('GET', lockKey) or ''
  local holder, mark = string.match(held, '^([^=]*).-(\n?)$')
  if holder ~= token then
    -- A commit whose reply was lost is sent again: its own outcome or entry in place means it has landed.
    if bytes == '' and held == '=' .. outcome then return 1 end
    if bytes ~= '' and current == string.sub(bytes, 1, 40) then return 1 end
    return 0
  end
  if string.sub(current, 1, 2) == 'EW' and (string.byte(current, 3) or 0) > 1 then
    redis.call('DEL', lockKey)
    return -1
  end
  if bytes == '' then
    redis.call('DEL', entryKey)
    redis.call('SET', lockKey, '=' .. outcome, 'PX', outcomeTtlMs)
  else
    redis.call('SET', entryKey, bytes, 'PX', lifeMs)
    redis.call('DEL', lockKey)
  end
  -- pcall: a user who may not publish must still be able to write.
  if mark == '\n' then redis.pcall('PUBLISH', string.match(entryKey, '^[^:]*') .. ':bus', cjson.encode({wake = entryKey})) end
  return 1
end

local replies = {}
for i = 1, #KEYS / 2 do
  replies[i] = commit(KEYS[2 * i - 1], KEYS[2 * i], unpack(ARGV, 5 * i - 4, 5 * i))
end
return replies
