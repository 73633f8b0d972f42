import type { UserId } from '@qunxin/contracts'
import type { Redis } from '@qunxin/presence'
import type { Limit } from './bucket.ts'

export interface Asked {
  /** What is needed now; as much of it is granted as there is. */
  wanted: number
  /** What would be good to have beside it; only a small part of what is left is granted of this. */
  ahead: number
  /** What was let through without asking. */
  owed: number
  /** What was granted before and not used. */
  back: number
}

export interface Lease {
  granted: number
  /** What is left in the user's bucket. */
  tokens: number
}

/** One bucket per user for all gateways. */
export interface Ledger {
  /** Takes a slice of the user's bucket: what is granted here nobody else gets. Rejects when it cannot. */
  lease(user: UserId, asked: Asked): Promise<Lease>
}

/** Longer than any bucket takes to be full again; one that is gone is a full one. */
const KEPT_SECONDS = 60
/** Of what is left, ahead of need: what ten gateways hold idle is then less than half a burst, and of a low bucket nothing. */
const AHEAD_SHARE = 0.05

/** Hash: `tokens`, `at` (ms). Redis's clock counts, as those of gateways differ. */
const LEASE = `
local burst, perMs = tonumber(ARGV[1]), tonumber(ARGV[2]) / 1000
local wanted, ahead, owed, back = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local share, keptSeconds, now = tonumber(ARGV[7]), tonumber(ARGV[8]), tonumber(ARGV[9])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local stored = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens, at = tonumber(stored[1] or burst), tonumber(stored[2] or now)
tokens = math.min(burst, tokens + math.max(0, now - at) * perMs + back) - owed
local granted = math.max(0, math.min(wanted, math.floor(tokens)))
if granted == wanted then granted = granted + math.max(0, math.min(ahead, math.floor((tokens - granted) * share))) end
tokens = tokens - granted
redis.call('HSET', KEYS[1], 'tokens', string.format('%.4f', tokens), 'at', string.format('%.0f', math.max(now, at)))
redis.call('EXPIRE', KEYS[1], keptSeconds)
return {granted, string.format('%.4f', tokens)}`

export interface RedisLedgerOptions {
  redis: Redis
  limit: Limit
  prefix?: string
  /** In ms, instead of Redis's own clock. */
  now?: () => number
}

/** On `rate:{<uid>}`, which is there only for users who sent something in the last minute. */
export function createRedisLedger(options: RedisLedgerOptions): Ledger {
  const { redis, limit, prefix = '', now } = options
  return {
    async lease(user, { wanted, ahead, owed, back }) {
      const [granted, tokens] = (await redis.eval(
        LEASE,
        1,
        `${prefix}rate:{${user}}`,
        limit.burst,
        limit.perSecond,
        wanted,
        ahead,
        owed.toFixed(4),
        back,
        AHEAD_SHARE,
        KEPT_SECONDS,
        now?.() ?? '',
      )) as [number, string]
      return { granted, tokens: Number(tokens) }
    },
  }
}
