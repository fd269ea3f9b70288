-- Marks an entry as invalidated and removes the lock of any load in flight: readers may go on with the
-- old value for a while, but what that load read is never written. An entry of a newer format, whose
-- flags are unknown here, is removed.
-- KEYS: entry, lock
-- ARGV: none
-- Returns: 1 marked or removed | 0 there is no entry of ours, or it is marked already
local entryKey, lockKey = KEYS[1], KEYS[2]

redis.call('DEL', lockKey)
if redis.call('TYPE', entryKey).ok ~= 'string' then return 0 end
local header = redis.call('GETRANGE', entryKey, 0, 39)
if string.sub(header, 1, 2) ~= 'EW' then return 0 end
if (string.byte(header, 3) or 0) > 1 then return redis.call('UNLINK', entryKey) end
local flags = string.byte(header, 4)
if #header < 40 or math.floor(flags / 4) % 2 == 1 then return 0 end
redis.call('SETRANGE', entryKey, 3, string.char(flags + 4))
return 1
