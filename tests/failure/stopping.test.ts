import type { NetFault } from '@qunxin/devstack/tcp-proxy'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { breakableServers, type Server } from './breakable-servers.ts'
import { loneService } from './lone-service.ts'
import { isReady } from './processes.ts'

t.setTimeout(6 * 60_000)
// Each has services of its own, which mostly wait.
t.jobs = 3

const KINDS = ['gateway', 'group-service', 'message-service'] as const

/** What Docker Compose and Kubernetes are told to give them. */
const GRACE_MS = 30_000
/** Nothing has been taken yet: there is nothing to finish. */
const STARTING_MS = 10_000

const breakable = await breakableServers()

async function waitingSends(opsUrl: string): Promise<number> {
  const metrics = await (await fetch(`${opsUrl}/metrics`)).text()
  return Number(/^qunxin_sends_waiting\{.*\} (\d+)$/m.exec(metrics)?.[1] ?? 0)
}

const cases: [Server, NetFault['kind']][] = [
  ['NATS', 'blackhole'],
  ['NATS', 'cut'],
  ['MongoDB', 'blackhole'],
  ['MongoDB', 'cut'],
  ['Redis', 'blackhole'],
]
for (const [server, kind] of cases) {
  t.test(`with work under way and ${server} gone (${kind}) every service ends with 0 in time`, async (t) => {
    const { proxies, env, authSecret, url } = await breakable(t)
    const services = await Promise.all(KINDS.map((kind) => loneService(t, kind, env)))
    for (const { opsUrl } of services) await eventually(() => isReady(opsUrl), 'all take work')
    const newPerson = people(t, { urls: [url], authSecret })
    const [one, two] = [await newPerson(), await newPerson()]
    const socket = await one.socket()
    await socket.message({ toUserId: two.number, contentStr: 'it works' })
    const group = { groupName: 'g', memberIds: [one.number, two.number] }
    const { groupId } = (await one.post('/chat/group!createGroup', group)).data

    proxies[server].impair({ kind } as NetFault)
    socket.send('message', { toUserId: two.number, msgContentType: '1', contentStr: 'under way', msgId: 'm2' })
    socket.send('updateGroupInfo', { userId: one.number, groupId, groupName: 'under way', taskId: 't' })
    socket.send('queryGroupList', { userId: one.number, taskId: 'q' })
    if (server === 'MongoDB')
      await eventually(async () => (await waitingSends(services[2]!.opsUrl)) > 0, 'a send waits')
    const ended = await Promise.all(services.map((service) => service.stop()))
    for (const [i, { code, tookMs }] of ended.entries()) {
      t.equal(code, 0, `${KINDS[i]} ends with 0`)
      t.ok(tookMs < GRACE_MS, `${KINDS[i]} took ${Math.round(tookMs)} ms`)
    }
    t.match(await socket.closed, { code: 1001 })
  })
}

for (const server of ['NATS', 'MongoDB'] as const) {
  t.test(`a service that is still starting, because ${server} accepts and says nothing, ends with 0`, async (t) => {
    const { proxies, env } = await breakable(t)
    proxies[server].impair({ kind: 'blackhole' })
    const waiting = KINDS.filter((kind) => server === 'NATS' || kind !== 'gateway')
    const services = await Promise.all(waiting.map((kind) => loneService(t, kind, env)))
    for (const { messages } of services)
      await eventually(
        () => messages.some((said) => said.startsWith(`waiting for ${server}`)),
        'it says what it waits for',
      )
    for (const [i, { code, tookMs }] of (await Promise.all(services.map((service) => service.stop()))).entries()) {
      t.equal(code, 0, `${waiting[i]} ends with 0`)
      t.ok(tookMs < STARTING_MS, `${waiting[i]} took ${Math.round(tookMs)} ms`)
    }
  })
}
