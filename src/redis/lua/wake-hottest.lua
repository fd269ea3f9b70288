-- Makes the hottest keys due at once, hottest first: after a wipe of the cache their readers wait, so
-- the scheduler must not leave them to their planned time. Claimed and backing-off keys stay as they are.
-- KEYS: heat, due
-- ARGV: nowMs, count, how many hotter ones to pass over
-- Returns: how many keys there were
local heatKey, dueKey = KEYS[1], KEYS[2]
local nowMs, count, from = math.floor(tonumber(ARGV[1])), tonumber(ARGV[2]), tonumber(ARGV[3])

local hottest = redis.call('ZREVRANGE', heatKey, from, from + count - 1)
if #hottest == 0 then return 0 end
local oldDues = redis.call('ZMSCORE', dueKey, unpack(hottest))
local dues = {}
for rank, member in ipairs(hottest) do
  local due = tonumber(oldDues[rank] or nil)
  if not due or due % 1 == 0 then
    dues[#dues + 1] = nowMs - count + rank
    dues[#dues + 1] = member
  end
end
if #dues > 0 then redis.call('ZADD', dueKey, unpack(dues)) end
return #hottest
