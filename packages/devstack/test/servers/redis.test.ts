import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { locateRedis } from '../../src/servers/redis.ts'

/** A folder with programs that only say their version. */
function programs(t: Test, versions: Record<string, string>): string {
  const folder = t.testdir()
  for (const [name, version] of Object.entries(versions)) {
    writeFileSync(join(folder, name), `#!/bin/sh\necho '${version} sha=00000000:0 malloc=jemalloc-5.3.0 bits=64'\n`)
    chmodSync(join(folder, name), 0o755)
  }
  return folder
}

const path = process.env.PATH ?? ''
t.afterEach(() => {
  process.env.PATH = path
})

t.test('a Redis on PATH is taken when it is new enough', async (t) => {
  const folder = programs(t, { 'redis-server': 'Redis server v=7.0.15' })
  process.env.PATH = `${folder}:${path}`
  t.equal((await locateRedis(join(folder, 'cache'), () => {})).path, join(folder, 'redis-server'))
})

t.test('one that is too old is passed over with a word, and Valkey does as well', async (t) => {
  const folder = programs(t, { 'redis-server': 'Redis server v=6.0.16', 'valkey-server': 'Valkey server v=8.1.1' })
  process.env.PATH = `${folder}:${path}`
  const lines: string[] = []
  t.equal((await locateRedis(join(folder, 'cache'), (line) => lines.push(line))).path, join(folder, 'valkey-server'))
  t.match(lines[0], `${join(folder, 'redis-server')} is older than Redis 7`)
})

t.test('when only an old one can be had, it is said which is needed and how to get it', async (t) => {
  const folder = programs(t, { 'redis-server': 'Redis server v=6.0.16', 'valkey-server': 'Valkey server v=1.0.0' })
  const unpacked = join(folder, 'cache', 'debian', 'redis', 'usr', 'bin')
  mkdirSync(unpacked, { recursive: true })
  writeFileSync(join(unpacked, 'redis-server'), "#!/bin/sh\necho 'Redis server v=6.0.16 sha=00000000:0'\n", {
    mode: 0o755,
  })
  process.env.PATH = `${folder}:${path}`
  const message =
    /Redis 7 or newer is needed\. Install redis-server.*REDIS_URL\. This system's package source has version 6\./
  await t.rejects(
    locateRedis(join(folder, 'cache'), () => {}),
    { name: 'SetupError', message },
  )
})
