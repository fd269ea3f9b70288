-- Writes what each load made, only while its lock is still held: invalidate and set delete the lock,
-- so a load that started before either, or that lost its lock, is never written. Who waits for it is woken.
-- KEYS: entry, lock (of each key)
-- ARGV: keys, token, '<ended ms> <outcome>', outcomeTtlMs, '<bytes> <lifeMs>' of each key's entry with blanks between, the entries ('' where nothing was found) (of each call)
-- Returns: of each key 1 written | 0 refused: the lock is not the caller's | -1 refused: a newer format is there
local function commit(entryKey, lockKey, token, bytes, lifeMs, outcome, outcomeTtlMs)
  -- pcall: under our name may be a key of another Redis type.
  local current = redis.pcall('GETRANGE', entryKey, 0, 39)
  if type(current) ~= 'string' then current = '' end
  local held = redis.call('GET', lockKey) or ''
  local holder, mark = held, ''
  if held ~= token then holder, mark = string.match(held, '^([^=]*).-(\n?)$') end
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

local replies, at = {}, 0
for call = 1, #ARGV, 6 do
  local keys, token, outcome, outcomeTtlMs, lives, entries = unpack(ARGV, call, call + 5)
  local nextLife, from = string.gmatch(lives, '(%d+) (%d+)'), 1
  for i = at + 1, at + keys do
    local length, lifeMs = nextLife()
    local bytes = string.sub(entries, from, from + length - 1)
    replies[i] = commit(KEYS[2 * i - 1], KEYS[2 * i], token, bytes, lifeMs, outcome, outcomeTtlMs)
    from = from + length
  end
  at = at + keys
end
return replies
