"""The Lua scripts by which Valkey decides at once what several commands could not.

Each touches keys of one shard alone, which share a hash tag, so that a cluster can spread the shards. A shard is a
stream whose ids are ``0-<position>``, dense from 1; a group in it is a hash with position, attempts, clean, owner and
until (unix ms by the server's clock).
"""

APPEND = """
-- KEYS: log, ticket, group...; ARGV: ticket, backlog, keep, number of entries, and these in one string:
-- for each a header (lengths of key, value, to) and the three
-- Returns how many entries were appended; the same ticket again returns what it returned before.
local before = redis.call('GET', KEYS[2])
if before then
  local ticket, count = string.match(before, '^(%d+):(%d+)$')
  if ticket == ARGV[1] then return tonumber(count) end
end
local last = 0
if redis.call('EXISTS', KEYS[1]) == 1 then
  local info = redis.call('XINFO', 'STREAM', KEYS[1])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last = tonumber(string.sub(info[i + 1], 3)) end
  end
end
local slowest = last + 1
for i = 3, #KEYS do
  slowest = math.min(slowest, tonumber(redis.call('HGET', KEYS[i], 'position') or '1'))
end
local count = math.min(tonumber(ARGV[4]), math.max(0, tonumber(ARGV[2]) - (last + 1 - slowest)))
local packed, at = ARGV[5], 1
for _ = 1, count do
  local key, value, to = struct.unpack('<I4I4I4', packed, at)
  local first = at + 12
  at = first + key + value + to
  local k, v = string.sub(packed, first, first + key - 1), string.sub(packed, first + key, at - to - 1)
  if to == 0 then
    redis.call('XADD', KEYS[1], '0-*', 'k', k, 'v', v)
  else
    redis.call('XADD', KEYS[1], '0-*', 'k', k, 'v', v, 't', string.sub(packed, at - to, at - 1))
  end
end
if count > 0 then
  redis.call('SET', KEYS[2], ARGV[1] .. ':' .. count, 'PX', 3600000)
  local below = math.min(slowest, last + 1 + count - tonumber(ARGV[3]))
  if below > 1 then redis.call('XTRIM', KEYS[1], 'MINID', '~', '0-' .. string.format('%d', below)) end
end
return count
"""

READ = """
-- KEYS: log; ARGV: first position, count. Returns the entries in one string, which the client takes apart ten times
-- faster than as many replies: for each a header (position, lengths of key, value, to) and the three.
local rows = redis.call('XRANGE', KEYS[1], '0-' .. ARGV[1], '+', 'COUNT', ARGV[2])
local out = {}
for i = 1, #rows do
  local fields = rows[i][2]
  local to = fields[6] or ''
  out[#out + 1] = struct.pack('<I8I4I4I4', tonumber(string.sub(rows[i][1], 3)), #fields[2], #fields[4], #to)
  out[#out + 1] = fields[2]
  out[#out + 1] = fields[4]
  out[#out + 1] = to
end
return table.concat(out)
"""

CLAIM = """
-- KEYS: group; ARGV: owner, lease ms. Returns position, attempts, clean as they were found, or nothing.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local held = redis.call('HMGET', KEYS[1], 'owner', 'until', 'position', 'attempts', 'clean')
if held[1] and held[1] ~= '' and held[1] ~= ARGV[1] and tonumber(held[2]) > now then return {} end
redis.call('HSET', KEYS[1], 'owner', ARGV[1], 'until', string.format('%d', now + ARGV[2]), 'clean', '0',
  'position', held[3] or '1', 'attempts', held[4] or '0')
return {held[3] or '1', held[4] or '0', held[5] or '1'}
"""

RENEW = """
-- KEYS: group; ARGV: owner, lease ms. Returns 1 when the lease is the owner's still.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
redis.call('HSET', KEYS[1], 'until', string.format('%d', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2]))
return 1
"""

COMMIT = """
-- KEYS: group; ARGV: owner, position, attempts, clean, free. Returns 1 when it was stored.
if redis.call('HGET', KEYS[1], 'owner') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'position', ARGV[2], 'attempts', ARGV[3], 'clean', ARGV[4])
if ARGV[5] == '1' then redis.call('HSET', KEYS[1], 'owner', '') end
return 1
"""

BEAT = """
-- KEYS: members; ARGV: owner, lease ms. Returns the names of the living.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', KEYS[1], now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('PEXPIRE', KEYS[1], ARGV[2] * 10)
return redis.call('ZRANGE', KEYS[1], 0, -1)
"""
