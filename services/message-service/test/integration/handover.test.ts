import { ANNOUNCE_EVERY_MS, ownerOf, partitionOf, type SendBatch, type SendEntry, subjects } from '@qunxin/contracts'
import t, { type Test } from 'tap'
import { eventually, fakeGateway, PARTITIONS, world } from './harness.ts'

/** Other message-services as far as they are heard of. */
async function setup(t: Test) {
  const w = await world()
  t.teardown(() => w.end())
  const gateway = await fakeGateway(await w.connect('gateway'), 'node-1')
  t.teardown(() => gateway.stop())
  const others = await w.connect('others')
  const announce = (instance: string, extra = {}) =>
    others.publish(subjects.messageInstances, JSON.stringify({ instance, epoch: 1, partitions: PARTITIONS, ...extra }))
  const live = async (...names: string[]) => {
    const announceAll = () => {
      for (const name of names) announce(name)
    }
    announceAll()
    const announcing = setInterval(announceAll, ANNOUNCE_EVERY_MS / 2)
    t.teardown(() => clearInterval(announcing))
    await others.flush()
  }
  return { w, gateway, others, announce, live }
}

/** A message of the user in conversations of all partitions. */
function everywhere(gateway: Awaited<ReturnType<typeof fakeGateway>>, user: number) {
  const peers = Array.from({ length: 20 * PARTITIONS }, (_, i) => String(user + 1 + i))
  return peers.map((peer) => gateway.entry(String(user), { user: peer }))
}

t.test('who takes over stores nothing that the owner before was still deciding', async (t) => {
  const { w, gateway, others, live } = await setup(t)
  await live('before')
  const decided = new Set<number>()
  let heard = false
  others.subscribe(subjects.messageInstances, ({ data }) => {
    const { instance } = JSON.parse(Buffer.from(data).toString())
    if (instance !== 'before') heard = true
  })
  for (let partition = 0; partition < PARTITIONS; partition++)
    others.subscribe(subjects.partitionSend(partition), ({ data }) => {
      const { sends } = JSON.parse(Buffer.from(data).toString()) as SendBatch
      if (!heard) for (const { id } of sends) decided.add(id)
    })
  await others.flush()
  let user = 1_000
  const sent: number[] = []
  const sending = setInterval(() => {
    user += 1_000
    const sends = everywhere(gateway, user)
    gateway.publish(sends)
    sent.push(...sends.map(({ id }) => id))
  }, 1)
  t.teardown(() => clearInterval(sending))
  const service = await w.start()
  await eventually('it serves', () => gateway.answers.size > 0)
  clearInterval(sending)
  await gateway.flush()
  await service.stop()
  t.ok(heard)
  t.ok(decided.size > 0 && decided.size < sent.length, `${decided.size} of ${sent.length} came before it said so`)
  t.same(
    [...decided].filter((id) => gateway.answers.has(id)),
    [],
  )
})

t.test('who goes takes nothing more of what another says it has taken over', async (t) => {
  const { w, gateway, others, announce, live } = await setup(t)
  const { instance, stop } = await w.start()
  const sends = everywhere(gateway, 1_000)
  const fallTo = (name: string, names: string[]) =>
    sends.filter(({ conversation }) => {
      const partition = partitionOf(conversation, PARTITIONS)
      return ownerOf(partition, [...names, instance]) === instance && ownerOf(partition, names) === name
    })
  let [one, two]: [SendEntry[], SendEntry[]] = [[], []]
  let names = ['', '']
  for (let draw = 0; one.length === 0 || two.length === 0; draw++) {
    names = [`one-${draw}`, `two-${draw}`]
    ;[one, two] = names.map((name) => fallTo(name, names)) as [SendEntry[], SendEntry[]]
  }
  await live(...names)
  let leaving = false
  others.subscribe(subjects.messageInstances, ({ data }) => {
    leaving ||= JSON.parse(Buffer.from(data).toString()).leaving === true
  })
  await others.flush()
  const stopped = stop()
  await eventually('it says that it goes', () => leaving)
  announce(names[0] as string, { relieves: instance })
  await others.flush()
  gateway.publish(one)
  t.match(
    await gateway.send(...two),
    two.map(() => ({ seq: 1 })),
    'what nobody has taken over is served',
  )
  await stopped
  t.notOk(one.some(({ id }) => gateway.answers.has(id)))
})

t.test('who comes while another goes serves from the moment it says that it is there', async (t) => {
  const { w, gateway, others, announce } = await setup(t)
  // Said as often as it takes to fall into the time in which the new one only listens.
  const leaving = setInterval(() => announce('before', { leaving: true }), 20)
  t.teardown(() => clearInterval(leaving))
  const service = await w.start()
  clearInterval(leaving)
  await others.flush()
  const sends = everywhere(gateway, 1_000)
  gateway.publish(sends)
  await eventually('all answers', () => sends.every(({ id }) => gateway.answers.has(id)))
  await service.stop()
})
