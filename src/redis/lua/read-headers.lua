-- Reads the headers of many entries for the price of one command: 40 bytes each in one string, zeros
-- where there is none, or what stands there is no string or too short to be ours.
-- KEYS: entry (of each key)
-- ARGV: none
-- Returns: {the headers}
local NONE = string.rep('\0', 40)

local headers = {}
for i = 1, #KEYS do
  -- pcall: under our name may be a key of another Redis type.
  local header = redis.pcall('GETRANGE', KEYS[i], 0, 39)
  headers[i] = type(header) == 'string' and #header == 40 and header or NONE
end
return {table.concat(headers)}
