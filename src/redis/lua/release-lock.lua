-- Ends a load that stored nothing: frees the lock, or leaves the outcome under it for those who wait
-- now, so that they do not become a convoy of loads; wakes them. Never touches another holder's lock.
-- KEYS: lock
-- ARGV: token, '<ended ms> <outcome>' ('' for none), outcomeTtlMs, entry's key
-- Returns: 1 released | 0 was not the caller's
local lockKey = KEYS[1]
local token, outcome, outcomeTtlMs, entryKey = ARGV[1], ARGV[2], ARGV[3], ARGV[4]

local holder, mark = string.match(redis.call('GET', lockKey) or '', '^([^=]*).-(\n?)$')
if holder ~= token then return 0 end
if outcome == '' then
  redis.call('DEL', lockKey)
else
  redis.call('SET', lockKey, '=' .. outcome, 'PX', outcomeTtlMs)
end
-- pcall: a user who may not publish must still be able to release.
if mark == '\n' then redis.pcall('PUBLISH', string.match(entryKey, '^[^:]*') .. ':bus', cjson.encode({wake = entryKey})) end
return 1
