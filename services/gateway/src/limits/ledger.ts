import type { UserId } from '@qunxin/contracts'
import type { Redis } from '@qunxin/presence'
import type { Limit } from './bucket.ts'

export interface Balance {
  /** What the user's bucket holds; below zero when gateways let through more than there was. */
  tokens: number
  /** How many gateways, this one among them, have charged the user in the last 10 s. */
  gateways: number
}

/** One bucket per user for all gateways. */
export interface Ledger {
  /** Charges what was let through here, whether it is there or not, and answers what is left. Rejects when it cannot. */
  charge(user: UserId, tokens: number): Promise<Balance>
}

/** For how long a gateway that charged counts as one that may do so again. */
export const SEEN_MS = 10_000
/** Longer than any debt takes to be refilled; a bucket that is gone is a full one. */
const KEPT_SECONDS = 60

/** Hash: `tokens`, `at` (ms), and for each gateway when it charged last. Redis's clock counts, as those of gateways differ. */
const CHARGE = `
local burst, perMs, charged, node = tonumber(ARGV[1]), tonumber(ARGV[2]) / 1000, tonumber(ARGV[3]), ARGV[4]
local seenMs, keptSeconds, now = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local tokens, at, gateways = burst, now, 1
local stored = redis.call('HGETALL', KEYS[1])
for i = 1, #stored, 2 do
  local field, value = stored[i], tonumber(stored[i + 1])
  if field == 'tokens' then tokens = value
  elseif field == 'at' then at = value
  elseif now - value > seenMs then redis.call('HDEL', KEYS[1], field)
  elseif field ~= node then gateways = gateways + 1 end
end
tokens = math.min(burst, tokens + math.max(0, now - at) * perMs) - charged
redis.call('HSET', KEYS[1], 'tokens', string.format('%.4f', tokens), 'at', string.format('%.0f', now), node, string.format('%.0f', now))
redis.call('EXPIRE', KEYS[1], keptSeconds)
return {string.format('%.4f', tokens), gateways}`

export interface RedisLedgerOptions {
  redis: Redis
  /** This gateway among all. */
  node: string
  limit: Limit
  prefix?: string
  /** In ms, instead of Redis's own clock. */
  now?: () => number
}

/** On `rate:{<uid>}`, which is there only for users who sent something in the last minute. */
export function createRedisLedger(options: RedisLedgerOptions): Ledger {
  const { redis, node, limit, prefix = '', now } = options
  return {
    async charge(user, tokens) {
      const [left, gateways] = (await redis.eval(
        CHARGE,
        1,
        `${prefix}rate:{${user}}`,
        limit.burst,
        limit.perSecond,
        tokens,
        `gateway:${node}`,
        SEEN_MS,
        KEPT_SECONDS,
        now?.() ?? '',
      )) as [string, number]
      return { tokens: Number(left), gateways }
    },
  }
}
