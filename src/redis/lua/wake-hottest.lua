-- Makes the hottest keys due at once, hottest first and before all others: after a wipe of the cache their
-- readers wait, so the scheduler must not leave them to their planned time, nor after a pause to their turn. Claimed and backing-off keys stay as they are.
-- KEYS: heat, due
-- ARGV: nowMs, mostSkewMs, count, how many hotter ones to pass over
-- Returns: how many keys there were
local heatKey, dueKey = KEYS[1], KEYS[2]
local mostSkewMs, count, from = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local time = redis.call('TIME')
local serverMs = time[1] * 1000 + time[2] / 1000
local nowMs = math.max(serverMs - mostSkewMs, math.min(serverMs + mostSkewMs, tonumber(ARGV[1])))

local hottest = redis.call('ZREVRANGE', heatKey, from, from + count - 1)
if #hottest == 0 then return 0 end
local oldDues = redis.call('ZMSCORE', dueKey, unpack(hottest))
local earliest = redis.call('ZRANGE', dueKey, 0, 0, 'WITHSCORES')[2]
local beforeMs = math.floor(math.min(nowMs, tonumber(earliest) or nowMs))
local dues = {}
for rank, member in ipairs(hottest) do
  local due = tonumber(oldDues[rank] or nil)
  if not due or due % 1 == 0 then
    dues[#dues + 1] = beforeMs - count + rank
    dues[#dues + 1] = member
  end
end
if #dues > 0 then redis.call('ZADD', dueKey, unpack(dues)) end
return #hottest
