import type { Redis } from 'ioredis'

const WRITE = `
for i = 4, #ARGV do redis.call('HSET', KEYS[1], ARGV[i], ARGV[1]) end
redis.call('EXPIRE', KEYS[1], ARGV[2])
if redis.call('HLEN', KEYS[1]) > tonumber(ARGV[3]) then return redis.call('HGETALL', KEYS[1]) end
return {}`

const REMOVE = `
if redis.call('HGET', KEYS[1], ARGV[1]) == ARGV[2] then return redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0`

const SWEEP = `
local entries = redis.call('HGETALL', KEYS[1])
for i = 1, #entries, 2 do
  if entries[i + 1] == ARGV[1] then redis.call('HDEL', KEYS[1], entries[i]) end
end
return 0`

/** Each script works on one key, so that it runs on a Redis Cluster too. */
export const scripts = {
  /** Sets connections of one user and renews the hash. Answers all of the user's entries when they are more than `limit`. */
  async write(
    redis: Redis,
    key: string,
    entry: { node: string; conns: Iterable<string>; ttlSeconds: number; limit: number },
  ): Promise<[conn: string, node: string][]> {
    const flat = (await redis.eval(
      WRITE,
      1,
      key,
      entry.node,
      entry.ttlSeconds,
      entry.limit,
      ...entry.conns,
    )) as string[]
    return flat.flatMap((conn, i) => (i % 2 === 0 ? [[conn, flat[i + 1] ?? ''] as [string, string]] : []))
  },

  /** Compare and delete: an entry that another process has meanwhile written stays. */
  remove: (redis: Redis, key: string, entry: { conn: string; node: string }) =>
    redis.eval(REMOVE, 1, key, entry.conn, entry.node),

  /** Removes every entry of one node. */
  sweep: (redis: Redis, key: string, node: string) => redis.eval(SWEEP, 1, key, node),
}
