import type { Redis } from 'ioredis'

const WRITE = `
local over, at = {}, 4
for i = 1, #KEYS do
  local last = at + tonumber(ARGV[at])
  for j = at + 1, last do redis.call('HSET', KEYS[i], ARGV[j], ARGV[1]) end
  at = last + 1
  redis.call('EXPIRE', KEYS[i], ARGV[2])
  if redis.call('HLEN', KEYS[i]) > tonumber(ARGV[3]) then over[#over + 1] = {i, redis.call('HGETALL', KEYS[i])} end
end
return over`

const REMOVE = `
for i = 1, #KEYS do
  if redis.call('HGET', KEYS[i], ARGV[i + 1]) == ARGV[1] then redis.call('HDEL', KEYS[i], ARGV[i + 1]) end
end
return 0`

const SWEEP = `
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
  if entries[i + 1] == ARGV[1] then redis.call('HDEL', KEYS[1], entries[i]) end
end
return 0`

export type Entries = [conn: string, node: string][]

export const scripts = {
  /**
   * Sets connections of users and renews their hashes. Answers all entries of those who have more than `limit`, each in its
   * user's place.
   */
  async write(
    redis: Redis,
    users: readonly { key: string; conns: readonly string[] }[],
    { node, ttlSeconds, limit }: { node: string; ttlSeconds: number; limit: number },
  ): Promise<(Entries | undefined)[]> {
    const keys = users.map(({ key }) => key)
    const conns = users.flatMap(({ conns }) => [conns.length, ...conns])
    const over = (await redis.eval(WRITE, keys.length, ...keys, node, ttlSeconds, limit, ...conns)) as [
      number,
      string[],
    ][]
    const entries: (Entries | undefined)[] = []
    for (const [place, flat] of over) entries[place - 1] = pairsOf(flat)
    return entries
  },

  /** Compare and delete: an entry that another process has meanwhile written stays. */
  remove: (redis: Redis, entries: readonly { key: string; conn: string }[], node: string) =>
    redis.eval(REMOVE, entries.length, ...entries.map(({ key }) => key), node, ...entries.map(({ conn }) => conn)),

  /** Removes every entry of one node. */
  sweep: (redis: Redis, key: string, node: string) => redis.eval(SWEEP, 1, key, node),
}

function pairsOf(flat: readonly string[]): Entries {
  return flat.flatMap((conn, i) => (i % 2 === 0 ? [[conn, flat[i + 1] ?? ''] as [string, string]] : []))
}
