-- Writes a value the application set, and takes the lock from any load in flight: what that load
-- read is older than this value.
-- KEYS: entry, lock
-- ARGV: entry, lifeMs
-- Returns: 1 written | -1 refused: a newer format is there
local entryKey, lockKey = KEYS[1], KEYS[2]
local bytes, lifeMs = ARGV[1], ARGV[2]

redis.call('DEL', lockKey)
local isString = redis.call('TYPE', entryKey).ok == 'string'
local current = isString and redis.call('GETRANGE', entryKey, 0, 2) or ''
if string.sub(current, 1, 2) == 'EW' and (string.byte(current, 3) or 0) > 1 then return -1 end
redis.call('SET', entryKey, bytes, 'PX', lifeMs)
return 1
