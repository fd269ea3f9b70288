-- Adds a process's counts to those of the fleet, and gives them their end in the same step: nobody comes
-- back to a slot that is over, so a count that was left without would stay for ever.
-- KEYS: slot
-- ARGV: expireSeconds, then per count: field, how many
-- Returns: how many fields were added to
local slotKey = KEYS[1]
for i = 2, #ARGV, 2 do redis.call('HINCRBY', slotKey, ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', slotKey, ARGV[1])
return (#ARGV - 1) / 2
