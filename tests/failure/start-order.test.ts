import t, { type Test } from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { breakableServers, type Server } from './breakable-servers.ts'
import { loneService } from './lone-service.ts'
import { isReady } from './processes.ts'

t.setTimeout(4 * 60_000)

type Kind = 'gateway' | 'group-service' | 'message-service'

const waitsFor: Record<Kind, Server[]> = {
  gateway: ['NATS'],
  'group-service': ['NATS', 'MongoDB'],
  'message-service': ['NATS', 'MongoDB', 'Redis'],
}
const breakable = await breakableServers()

/** Starts services and servers in that order, and shows that the system works in the end. */
async function comesUp(t: Test, order: readonly (Kind | Server)[]): Promise<void> {
  const { proxies, env, authSecret, url } = await breakable(t)
  // A server seems to be there from when its way is mended.
  for (const proxy of Object.values(proxies)) proxy.cut()
  const up = new Set<Server>()
  const services = new Map<Kind, string>()
  for (const part of order) {
    if (part === 'NATS' || part === 'MongoDB' || part === 'Redis') {
      proxies[part].mend()
      up.add(part)
      continue
    }
    const service = await loneService(t, part, env)
    services.set(part, service.opsUrl)
    const missing = waitsFor[part].filter((server) => !up.has(server))
    if (missing.length > 0)
      await eventually(
        () => service.messages.some((said) => missing.some((server) => said.startsWith(`waiting for ${server}`))),
        `${part} says that it waits for one of ${missing.join(', ')}`,
      )
  }
  for (const [kind, opsUrl] of services) await eventually(() => isReady(opsUrl), `${kind} takes work`)

  const newPerson = people(t, { urls: [url], authSecret })
  const [one, two] = [await newPerson(), await newPerson()]
  const [sender, receiver] = [await one.socket(), await two.socket()]
  const group = { groupName: 'g', memberIds: [one.number, two.number] }
  const { groupId } = (await one.post('/chat/group!createGroup', group)).data
  t.match(await sender.message({ sessionId: groupId, contentStr: 'it works' }), { seq: 1, state: 1 })
  t.match(await receiver.next('message'), { contentStr: 'it works' })
}

t.test('services that start before any server wait, say so and recover', async (t) => {
  await comesUp(t, ['gateway', 'message-service', 'group-service', 'Redis', 'MongoDB', 'NATS'])
})

t.test('servers may come between the services, in another order', async (t) => {
  await comesUp(t, ['group-service', 'NATS', 'message-service', 'Redis', 'gateway', 'MongoDB'])
})

t.test('without Redis everything starts, and messages come', async (t) => {
  await comesUp(t, ['NATS', 'MongoDB', 'gateway', 'message-service', 'group-service'])
})

for (const order of [
  ['message-service', 'group-service', 'gateway'],
  ['gateway', 'group-service', 'message-service'],
] as const)
  t.test(`services may start in the order ${order.join(', ')}`, async (t) => {
    await comesUp(t, ['NATS', 'MongoDB', 'Redis', ...order])
  })
