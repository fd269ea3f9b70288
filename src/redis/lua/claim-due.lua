-- Takes the keys whose time to look has come, and claims each in the same step: a scheduler that dies
-- after this only delays them until the claim runs out. Claims end in .5. A caller's clock counts only as
-- far as it can be right: a fast one must not claim what is not due, for as long as it is fast.
-- KEYS: heat, due, born
-- ARGV: nowMs, mostSkewMs, claimTtlMs, limit
-- Returns: {next due ms or '', birth ms or '', end of the claims or '', member, log-heat or '', '1' claim / '2' backoff ran out / '0', ...}
local heatKey, dueKey, bornKey = KEYS[1], KEYS[2], KEYS[3]
local mostSkewMs, claimTtlMs, limit = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local time = redis.call('TIME')
local serverMs = time[1] * 1000 + time[2] / 1000
local nowMs = math.max(serverMs - mostSkewMs, math.min(serverMs + mostSkewMs, tonumber(ARGV[1])))
local claimUntilMs = string.format('%.1f', math.floor(nowMs + claimTtlMs) + 0.5)
local AFTER = { [0.5] = '1', [0.25] = '2' }

local due = redis.call('ZRANGEBYSCORE', dueKey, '-inf', string.format('%.3f', nowMs), 'WITHSCORES', 'LIMIT', 0, limit)
local reply = {'', redis.call('GET', bornKey) or '', ''}
if #due > 0 then
  reply[3] = claimUntilMs
  local members, claims = {}, {}
  for i = 1, #due, 2 do
    members[#members + 1] = due[i]
    claims[#claims + 1] = claimUntilMs
    claims[#claims + 1] = due[i]
  end
  redis.call('ZADD', dueKey, unpack(claims))
  local heats = redis.call('ZMSCORE', heatKey, unpack(members))
  for i, member in ipairs(members) do
    reply[#reply + 1] = member
    reply[#reply + 1] = heats[i] or ''
    reply[#reply + 1] = AFTER[tonumber(due[2 * i]) % 1] or '0'
  end
end
local nextDue = redis.call('ZRANGE', dueKey, 0, 0, 'WITHSCORES')
reply[1] = nextDue[2] or ''
return reply
