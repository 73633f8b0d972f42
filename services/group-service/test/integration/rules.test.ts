import { gatewayControl, operations, type UserId } from '@qunxin/contracts'
import t from 'tap'
import { startGroupService } from '../../src/service.ts'
import type { OutboxFact } from '../../src/store/outbox.ts'
import { allRules } from '../rules/index.ts'
import type { World } from '../rules/world.ts'
import { logger, ownBus, ownConfig, ownDatabase, ownerTold, until } from './servers.ts'

// Hundreds of calls: on a busy machine more than tap's own 30 s.
t.setTimeout(120_000)
const config = ownConfig({ GROUP_MEMBERS_MAX: '8' })
await ownDatabase(t, config)
const bus = await ownBus(t, config)

const newest = new Map<string, number | undefined>()
const told = await ownerTold(bus, newest)
const facts: Omit<OutboxFact, 'id'>[] = []
const revoked = new Map<UserId, number>()
bus.subscribe('event.group.*', (message) => {
  facts.push({ what: message.subject.split('.').at(-1) as OutboxFact['what'], data: message.json() })
})
bus.subscribe('gateway.all.control', (message) => {
  const order = gatewayControl.parse(message.json())
  if (order.kind === 'revoke') revoked.set(order.userId, order.notBefore)
})
await bus.flush()
const service = await startGroupService(config, { logger })
t.teardown(() => service.stop())

const world: World = {
  membersMax: 8,
  call: (name, user, input) => bus.request(operations[name], input as never, { user }),
  told: (groupId) => told.filter((change) => change.groupId === groupId),
  newest: (groupId, seq) => void newest.set(groupId, seq),
  async facts(groupId, count) {
    const ofGroup = () => facts.filter(({ data }) => data.groupId === groupId)
    await until(`${count} facts of ${groupId}`, () => ofGroup().length >= count)
    return ofGroup()
  },
  async revoked(user) {
    await until(`revocation of ${user}`, () => revoked.has(user))
    return revoked.get(user) ?? Number.NaN
  },
}

allRules(t, world)
