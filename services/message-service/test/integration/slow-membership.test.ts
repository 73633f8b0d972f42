import { setTimeout as delay } from 'node:timers/promises'
import { startTcpProxy } from '@qunxin/devstack/tcp-proxy'
import t from 'tap'
import { eventually, fakeGateway, fakeGroups, world } from './harness.ts'

t.setTimeout(120_000)
const w = await world()
t.teardown(() => w.end())
const proxy = await startTcpProxy(w.environment.NATS_URL)
t.teardown(() => proxy.stop())
await w.start({ NATS_URL: proxy.url })
const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
t.teardown(() => gateway.stop())
const groups = fakeGroups(await w.connect('group-service'))
const shown = (group: string, seq: number) => {
  const found = gateway.messages(`g${group}`).find(({ item }) => item.seq === seq)
  return found?.item.users.toSorted()
}

t.test(
  'a group-service that takes most of a second to answer stops nobody, and a kick is in force when told',
  async (t) => {
    groups.hooks.membersOf = () => delay(800)
    groups.hooks.versionsOf = () => delay(800)
    groups.create('5', '1', '2', '3')
    t.match(await gateway.send(gateway.entry('2', { group: '5' })), [{ seq: 1 }])
    const version = groups.store('5', { removed: ['2'] })
    await groups.tell({ groupId: '5', version, removed: ['2'] }, 200)
    t.match(await gateway.send(gateway.entry('1', { group: '5' }), gateway.entry('2', { group: '5' })), [
      { seq: 2 },
      { code: 'NOT_A_MEMBER' },
    ])
    await eventually('the message', () => shown('5', 2))
    t.same(shown('5', 2), ['1', '3'])
    for (let round = 0; round < 10; round++) {
      const seq = 3 + round
      t.match(await gateway.send(gateway.entry('3', { group: '5' })), [{ seq }])
      await delay(200)
    }
    delete groups.hooks.membersOf
    delete groups.hooks.versionsOf
  },
)

t.test('an owner that hears late sends nothing by members it cannot be sure of', async (t) => {
  groups.create('6', '1', '2', '3')
  t.match(await gateway.send(gateway.entry('1', { group: '6' })), [{ seq: 1 }])
  proxy.impair({ kind: 'delay', direction: 'downstream', ms: 600 })
  const version = groups.store('6', { removed: ['3'] })
  await t.rejects(groups.tell({ groupId: '6', version, removed: ['3'] }, 200), { code: 'TIMEOUT' })
  // The kick is answered: what is committed 200 ms later may not reach who was kicked, told or not.
  await delay(200)
  const sent = gateway.send(gateway.entry('2', { group: '6' }))
  await delay(1_500)
  proxy.mend()
  t.match(await sent, [{ seq: 2 }])
  await eventually('the message', () => shown('6', 2))
  t.same(shown('6', 2), ['1', '2'])
})

t.test('an owner that hears late and was never told sends nothing by what it knew', async (t) => {
  groups.create('7', '1', '2', '3')
  t.match(await gateway.send(gateway.entry('1', { group: '7' })), [{ seq: 1 }])
  groups.hooks.versionsOf = () => delay(800)
  await delay(300)
  groups.store('7', { removed: ['3'] })
  proxy.impair({ kind: 'delay', direction: 'downstream', ms: 400 })
  await delay(400)
  const sent = gateway.send(gateway.entry('2', { group: '7' }))
  await delay(2_000)
  t.notOk(shown('7', 2)?.includes('3'))
  proxy.mend()
  delete groups.hooks.versionsOf
  t.match(await sent, [{ seq: 2 }])
  await eventually('the message', () => shown('7', 2))
  t.same(shown('7', 2), ['1', '2'])
})
