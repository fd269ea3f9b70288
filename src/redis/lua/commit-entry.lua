-- Writes what a load made, only while its lock is still held: invalidate and set delete the lock, so
-- a load that started before either, or that lost its lock, is never written.
-- KEYS: entry, lock
-- ARGV: token, entry ('' where the loader found nothing), lifeMs, '<ended ms> <outcome>', outcomeTtlMs
-- Returns: 1 written | 0 refused: the lock is not the caller's | -1 refused: a newer format is there
local entryKey, lockKey = KEYS[1], KEYS[2]
local token, bytes, lifeMs, outcome, outcomeTtlMs = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]

local current = redis.call('TYPE', entryKey).ok == 'string' and redis.call('GETRANGE', entryKey, 0, 39) or ''
local held = redis.call('GET', lockKey) or ''
if string.match(held, '^[^=]*') ~= token then
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
return 1
