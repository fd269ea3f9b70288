-- Makes tracked keys due at once, as their entries were invalidated. A claimed one is planned, or being
-- refreshed, perhaps on what its entry was before: its claim is cut short, so that settling that plan
-- does not put it off, and its refresh has a moment to land. One that backs off stays as it is.
-- KEYS: heat, due
-- ARGV: nowMs, claimLeftMs, expireSeconds, then per key: member
-- Returns: how many dues were changed
local heatKey, dueKey = KEYS[1], KEYS[2]
local nowMs, claimLeftMs, expireSeconds = math.floor(tonumber(ARGV[1])), tonumber(ARGV[2]), ARGV[3]

local heats = redis.call('ZMSCORE', heatKey, unpack(ARGV, 4))
local oldDues = redis.call('ZMSCORE', dueKey, unpack(ARGV, 4))
local dues = {}
for i = 4, #ARGV do
  local due = tonumber(oldDues[i - 3] or nil)
  local fraction = due and due % 1 or 0
  local nextDue = fraction == 0 and nowMs or nowMs + claimLeftMs + 0.5
  if heats[i - 3] and fraction ~= 0.25 and not (due and due <= nextDue) then
    dues[#dues + 1] = string.format('%.1f', nextDue)
    dues[#dues + 1] = ARGV[i]
  end
end
if #dues == 0 then return 0 end
redis.call('ZADD', dueKey, unpack(dues))
redis.call('EXPIRE', dueKey, expireSeconds)
return #dues / 2
