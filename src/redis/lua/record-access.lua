-- Counts reads into the tracker: raises each key's log-heat and, where a key read at least twice of
-- late has no due, plans its first look. A due later than the entry's expiry comes forward, but
-- not a claimed or backing-off one (those have a fraction), nor for a copy, whose entry may live longer by now.
-- A full tracker takes no keys that it does not know. A caller's clock counts only as far as it can be right.
-- KEYS: heat, due, born, full
-- ARGV: nowMs, mostSkewMs, halfLifeMs, lookAheadMs, expireSeconds, then per key: member, reads, expiresAtMs (0: unknown; negative: only of a process's copy)
-- Returns: {how many keys got a due, how many were refused}
local heatKey, dueKey, bornKey, fullKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local mostSkewMs, halfLifeMs = tonumber(ARGV[2]), tonumber(ARGV[3])
local lookAheadMs, expireSeconds = tonumber(ARGV[4]), ARGV[5]
local time = redis.call('TIME')
local serverMs = time[1] * 1000 + time[2] / 1000
local nowMs = math.max(serverMs - mostSkewMs, math.min(serverMs + mostSkewMs, tonumber(ARGV[1])))
local LOG2 = math.log(2)
-- Two reads within a half-life: the first has decayed to half a read at most.
local TWICE = math.log(1.5) / LOG2

local members, heats, dues = {}, {}, {}
for i = 6, #ARGV, 3 do members[#members + 1] = ARGV[i] end
local oldHeats = redis.call('ZMSCORE', heatKey, unpack(members))
local oldDues = redis.call('ZMSCORE', dueKey, unpack(members))

local isFull, refused = redis.call('EXISTS', fullKey) == 1, 0
local function record(i, member)
  local reads, expiresAtMs = tonumber(ARGV[3 * i + 4]), tonumber(ARGV[3 * i + 5])
  local heat = nowMs / halfLifeMs + math.log(reads) / LOG2
  local old = tonumber(oldHeats[i] or nil)
  if old then heat = math.max(old, heat) + math.log(1 + 2 ^ -math.abs(old - heat)) / LOG2 end
  heats[#heats + 1] = heat
  heats[#heats + 1] = member

  local due = tonumber(oldDues[i] or nil)
  local isTwiceRead = heat - nowMs / halfLifeMs >= TWICE
  if expiresAtMs > 0 and due and due % 1 == 0 and due > expiresAtMs then
    dues[#dues + 1] = math.floor(nowMs)
    dues[#dues + 1] = member
  elseif expiresAtMs ~= 0 and not due and isTwiceRead then
    dues[#dues + 1] = math.floor(math.max(nowMs, math.abs(expiresAtMs) - lookAheadMs))
    dues[#dues + 1] = member
  end
end
for i, member in ipairs(members) do
  if isFull and not oldHeats[i] then refused = refused + 1 else record(i, member) end
end
if #heats == 0 then return {0, refused} end

-- The tracker's age: young heats are short of the reads they will gather.
if redis.call('EXISTS', heatKey) == 0 then redis.call('SET', bornKey, math.floor(nowMs)) end
redis.call('ZADD', heatKey, unpack(heats))
redis.call('EXPIRE', heatKey, expireSeconds)
redis.call('EXPIRE', bornKey, expireSeconds)
if #dues > 0 then redis.call('ZADD', dueKey, unpack(dues)) end
redis.call('EXPIRE', dueKey, expireSeconds)
return {#dues / 2, refused}
