import { operations } from '@qunxin/contracts'
import t, { type Test } from 'tap'
import { eventually, fakeGateway, tappedLog, world } from './harness.ts'

t.setTimeout(120_000)
const ONES = Array.from({ length: 5 }, (_, i) => i + 1)

async function alone(t: Test) {
  const w = await world()
  t.teardown(() => w.end())
  const bus = await w.connect('gateway')
  const gateway = await fakeGateway(bus, 'node-1')
  t.teardown(() => gateway.stop())
  const tapped = tappedLog()
  return { w, bus, gateway, ...tapped, service: await w.start({}, { wrapLog: tapped.wrapLog }) }
}
const isReady = async (opsUrl: string) => (await fetch(`${opsUrl}/readyz`)).ok

t.test('alone it stores and answers what it has taken, and refuses nothing of what comes later', async (t) => {
  const { w, gateway, service, stallNextAppend } = await alone(t)
  const stall = stallNextAppend()
  const taken = ONES.map(() => gateway.entry('11', { user: '12' }))
  const answered = gateway.send(...taken)
  await stall.reached
  const stopped = service.stop()
  t.equal(await isReady(service.opsUrl), false, 'not ready, from the first moment')
  await gateway.flush()
  const late = gateway.entry('11', { user: '12' })
  const lateAnswered = gateway.send(late)
  stall.release()
  t.match(
    await answered,
    ONES.map((seq) => ({ seq })),
  )
  await stopped
  await w.start()
  t.match(await lateAnswered, [{ seq: 6 }], 'its gateway sends it again, to whoever comes next')
  const frames = gateway.messages('p11-12').map(({ item }) => item.seq)
  t.same([...new Set(frames)], [...ONES, 6], 'and all is delivered in order')
})

t.test('a request it has taken is answered, and further ones go to another instance', async (t) => {
  const { w, bus, gateway, service, hooks } = await alone(t)
  await gateway.send(gateway.entry('21', { user: '22' }))
  const taken = Promise.withResolvers<void>()
  const goOn = Promise.withResolvers<void>()
  hooks.beforeRead = () => {
    taken.resolve()
    return goOn.promise
  }
  const ask = (timeoutMs = 10_000) =>
    bus.request(operations['message.range'], { conversation: 'p21-22', fromSeq: 1, toSeq: 1 }, { timeoutMs })
  const underWay = ask()
  await taken.promise
  await w.start()
  const stopped = service.stop()
  const elsewhere = () =>
    ask(200).then(
      () => true,
      () => false,
    )
  await eventually('the first to have told NATS', elsewhere)
  for (let i = 0; i < 20; i++) t.match(await ask(), { messages: [{ seq: 1 }] })
  goOn.resolve()
  t.match(await underWay, { messages: [{ seq: 1 }] })
  await stopped
})

t.test('cursors that wait to be written are written', async (t) => {
  const { w, gateway, service } = await alone(t)
  await gateway.send(gateway.entry('31', { user: '32' }))
  gateway.receive('p31-32', [{ user: '32', conversation: 'p31-32', delivered: 1 }])
  // Taken before this one, on the same way.
  await gateway.send(gateway.entry('31', { user: '32' }))
  await service.stop()
  t.match(await w.db.collection('cursors').find().toArray(), [{ user: '32', conversation: 'p31-32', deliveredSeq: 1 }])
})
