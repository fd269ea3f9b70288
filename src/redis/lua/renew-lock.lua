-- Extends the lock while it is still the caller's, and keeps it warm for an evicting server.
-- KEYS: lock
-- ARGV: token, lockTtlMs
-- Returns: 1 renewed | 0 lost
local lockKey = KEYS[1]
local token, lockTtlMs = ARGV[1], ARGV[2]

if string.match(redis.call('GET', lockKey) or '', '^[^=]*') ~= token then return 0 end
redis.call('PEXPIRE', lockKey, lockTtlMs)
local k = lockKey
redis.call('TOUCH', k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k, k)
return 1
