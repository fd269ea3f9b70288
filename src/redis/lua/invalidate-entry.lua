-- Removes an entry and the lock of any load in flight, so that what that load read is never written.
-- KEYS: entry, lock
-- ARGV: none
-- Returns: how many entries were removed, 0 or 1
redis.call('DEL', KEYS[2])
return redis.call('UNLINK', KEYS[1])
