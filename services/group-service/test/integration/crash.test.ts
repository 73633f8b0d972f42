import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { operations } from '@qunxin/contracts'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t, { type Test } from 'tap'
import type { GroupServiceConfig } from '../../src/config.ts'
import { newUsers, outcomeOf } from '../rules/world.ts'
import { ownBus, ownConfig, ownDatabase, ownerTold, until } from './servers.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** A process of its own, to be killed. */
async function startProcess(t: Test, config: GroupServiceConfig) {
  const env = Object.fromEntries(Object.entries(config).map(([name, value]) => [name, String(value)]))
  const child = spawn(process.execPath, [main], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL'))
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('"msg":"ready"')) break
  child.stdout.resume()
  return {
    async kill() {
      child.kill('SIGKILL')
      await ended
    },
  }
}

t.setTimeout(60_000)

t.test('a kick stored by a process that died before it told is told by the retry, which changes nothing', async (t) => {
  const config = ownConfig({ OWNER_TIMEOUT_MS: '1000' })
  const db = await ownDatabase(t, config)
  const bus = await ownBus(t, config)
  const proxy = await startTcpProxy(config.NATS_URL)
  t.teardown(() => proxy.stop())
  const told = await ownerTold(bus)
  const dying = await startProcess(t, { ...config, NATS_URL: proxy.url })

  const [owner = '', member = ''] = newUsers(2)
  const created = operations['group.createGroup']
  const { groupId } = await bus.request(created, { groupName: '群', memberIds: [member] }, { user: owner })
  told.length = 0
  const kick = () =>
    outcomeOf(
      bus.request(
        operations['group.kickGroupMembers'],
        { groupId, memberIds: [member] },
        { user: owner, timeoutMs: 10_000 },
      ),
    )
  // It hears, and nobody hears it.
  proxy.impair({ kind: 'blackhole', direction: 'upstream' })
  const first = kick()
  await until('the kick is stored', async () => (await db.groups.findOne({ _id: groupId }))?.membersVersion === 2)
  await dying.kill()
  // The server hears of it, or it would go on handing out requests to the dead.
  proxy.cut()
  t.same(told, [], 'it told nobody')
  t.not(await first, 'done', 'and answered nobody')

  await startProcess(t, config)
  t.equal(await kick(), 'done')
  t.match(told, [{ groupId, version: 2, added: [], removed: [], deleted: false }])
  t.equal((await db.groups.findOne({ _id: groupId }))?.membersVersion, 2)
  const kept = await db.intervals.findOne({ group: groupId, user: member })
  t.match(kept?.past, [{ afterSeq: 0, toVersion: 2 }])
  t.notOk('toSeq' in kept!.past[0]!, 'the seq of now is not that of the kick: its time stands for it')
})
