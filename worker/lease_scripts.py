"""What Redis runs for the leases: each script is one step, on Redis' own clock. See worker/lease.py.

Every source has four keys: held, waiting, alive, later. Sorted sets hold tokens with times in microseconds.
"""

from __future__ import annotations

_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local token, limit, lease = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
"""

ASK = f"""{_NOW}
local mine, free
local ahead = math.huge
local later = math.huge
for first = 1, #KEYS, 4 do
  local held, waiting, alive = unpack(KEYS, first, first + 2)
  local put_off = math.max(0, redis.call('PTTL', KEYS[first + 3]))
  later = math.min(later, put_off)
  redis.call('ZREMRANGEBYSCORE', held, '-inf', now)
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', alive, '-inf', now)) do
    redis.call('ZREM', alive, gone)
    redis.call('ZREM', waiting, gone)
  end
  redis.call('ZADD', waiting, 'NX', now, token)
  redis.call('ZADD', alive, now + ARGV[4], token)
  redis.call('EXPIRE', waiting, 86400)
  redis.call('EXPIRE', alive, 86400)
  local before = redis.call('ZRANK', waiting, token)
  if redis.call('ZSCORE', held, token) then mine = first end
  if not free and put_off == 0 and before < limit - redis.call('ZCARD', held) then free = first end
  ahead = math.min(ahead, before)
end
if not mine then
  if not free then return {{ahead, later}} end
  -- A server that just started may have forgotten leases that are in use; their holders come back first.
  local info = redis.pcall('INFO', 'server')
  local age = type(info) == 'string' and string.match(info, 'uptime_in_seconds:(%d+)')
  if age and age - 1 < tonumber(ARGV[5]) then return {{ahead, later}} end
  mine = free
end
for first = 1, #KEYS, 4 do
  redis.call('ZREM', KEYS[first + 1], token)
  redis.call('ZREM', KEYS[first + 2], token)
end
redis.call('ZADD', KEYS[mine], now + lease, token)
redis.call('EXPIRE', KEYS[mine], 86400)
return {{-(mine + 3) / 4, 0}}
"""
"""Sources' keys; token, limit, lease, a turn's life, a young server's age. Answers {turn or -number, ms to wait}."""

RENEW = f"""{_NOW}
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if not redis.call('ZSCORE', KEYS[1], token) and redis.call('ZCARD', KEYS[1]) >= limit then return {{0, 0}} end
redis.call('ZADD', KEYS[1], now + lease, token)
redis.call('EXPIRE', KEYS[1], 86400)
return {{-1, 0}}
"""
"""A source's keys; token, limit, lease. Answers {-1, 0} if it is held."""

PUT_OFF = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '', 'PX', ARGV[1]) end
"""
"""The later key; milliseconds."""
