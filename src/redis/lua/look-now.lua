-- Makes tracked keys due at once, as their entries were invalidated. A claimed one is planned, or being
-- refreshed, perhaps on what its entry was before: its claim is cut short, so that settling that plan
-- does not put it off, and its refresh has a moment to land. One that backs off stays as it is.
-- KEYS: heat, due
-- ARGV: nowMs, mostSkewMs, claimLeftMs, expireSeconds, then per key: member
-- Returns: how many dues were changed
local heatKey, dueKey = KEYS[1], KEYS[2]
local mostSkewMs, claimLeftMs, expireSeconds = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local serverMs = time[1] * 1000 + time[2] / 1000
local nowMs = math.max(serverMs - mostSkewMs, math.min(serverMs + mostSkewMs, tonumber(ARGV[1])))
nowMs = math.floor(nowMs)

local heats = redis.call('ZMSCORE', heatKey, unpack(ARGV, 5))
local oldDues = redis.call('ZMSCORE', dueKey, unpack(ARGV, 5))
local dues = {}
for i = 5, #ARGV do
  local due = tonumber(oldDues[i - 4] or nil)
  local fraction = due and due % 1 or 0
  local nextDue = fraction == 0 and nowMs or nowMs + claimLeftMs + 0.5
  if heats[i - 4] and fraction ~= 0.25 and not (due and due <= nextDue) then
    dues[#dues + 1] = string.format('%.1f', nextDue)
    dues[#dues + 1] = ARGV[i]
  end
end
if #dues == 0 then return 0 end
redis.call('ZADD', dueKey, unpack(dues))
redis.call('EXPIRE', dueKey, expireSeconds)
return #dues / 2
