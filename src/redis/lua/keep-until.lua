-- Adds members to an index, each until the instant after which nothing it stands for can be there, and
-- never lowers that instant: what was added before a load starts is found for as long as it may matter.
-- The index lives as long as its last member; expired members leave a chunk at a time.
-- KEYS: index
-- ARGV: nowMs, untilMs, then per member: member
-- Returns: how many members are new
local indexKey = KEYS[1]
local nowMs, untilMs = ARGV[1], ARGV[2]
local PRUNED = 100

local expired = redis.call('ZRANGEBYSCORE', indexKey, '-inf', '(' .. nowMs, 'LIMIT', 0, PRUNED)
if #expired > 0 then redis.call('ZREM', indexKey, unpack(expired)) end
local scores = {}
for i = 3, #ARGV do
  scores[#scores + 1] = untilMs
  scores[#scores + 1] = ARGV[i]
end
local added = redis.call('ZADD', indexKey, 'GT', unpack(scores))
local leftMs = redis.call('PTTL', indexKey)
if leftMs < tonumber(untilMs) - tonumber(nowMs) then redis.call('PEXPIREAT', indexKey, untilMs) end
return added
