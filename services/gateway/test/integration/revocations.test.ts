import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { connectBus } from '@qunxin/bus'
import { createLogger } from '@qunxin/runtime'
import t from 'tap'
import { Revocations } from '../../src/auth/revocations.ts'

const url = process.env.QUNXIN_TEST_NATS_URL ?? 'nats://127.0.0.1:4222'
const prefix = `t${randomBytes(4).toString('hex')}`
const logger = createLogger('test', 'silent')
const connect = (name: string) => connectBus({ url, name, prefix, inboxPrefix: `_INBOX_${name}`, logger })
const bus = await connect('gateway')
t.teardown(() => bus.close())

/** Stands where group-service does; `asked` is what it was asked for, request by request. */
async function groupService(notBefore: (user: string) => number) {
  const service = await connect('group-service')
  const asked: string[][] = []
  const answer = async ({ userIds }: { userIds: string[] }) => {
    asked.push(userIds)
    await delay(5)
    return { notBefore: userIds.map(notBefore) }
  }
  service.serve({ 'user.notBeforeOf': answer }, 'group-service')
  await service.flush()
  return { asked, stop: () => service.close() }
}

t.test('many users are asked for in few requests, and each once', async (t) => {
  const service = await groupService((user) => Number(user) * 10)
  const revocations = new Revocations({ bus, logger })
  const users = Array.from({ length: 1_200 }, (_, i) => String(i + 1))
  t.same(
    await Promise.all([...users, ...users].map((user) => revocations.of(user))),
    [...users, ...users].map((user) => Number(user) * 10),
  )
  t.ok(service.asked.length <= 5, `${service.asked.length} requests`)
  t.ok(service.asked.every((userIds) => userIds.length <= 500))
  const requests = service.asked.length
  t.equal(await revocations.of('7'), 70)
  t.equal(service.asked.length, requests, 'what is known is not asked again')
  revocations.forget()
  t.equal(await revocations.of('7'), 70)
  t.equal(service.asked.length, requests + 1, 'until it is forgotten')
  revocations.stop()
  await service.stop()
})

t.test('an order counts at once, and an older answer does not undo it', async (t) => {
  const service = await groupService(() => 100)
  const revocations = new Revocations({ bus, logger })
  const crossing = revocations.of('7')
  revocations.set('7', 5_000)
  t.equal(await crossing, 5_000)
  t.equal(await revocations.of('7'), 5_000)
  revocations.stop()
  await service.stop()
})

t.test('while group-service is away tokens pass, and the revoked among them are found once it is back', async (t) => {
  const revoked: [string, number][] = []
  const onRevoked = (user: string, notBefore: number) => revoked.push([user, notBefore])
  const revocations = new Revocations({ bus, logger, onRevoked })
  t.equal(await revocations.of('7'), 0)
  t.equal(revocations.of('8'), 0, 'nobody else waits')
  revocations.set('9', 900)
  revocations.forget()
  t.equal(revocations.of('9'), 900, 'what was known counts meanwhile')

  const service = await groupService((user) => (user === '7' ? 700 : 0))
  while (revoked.length === 0) await delay(10)
  t.same(revoked, [['7', 700]], 'user 9 was known to be revoked: nothing new is told')
  t.equal(await revocations.of('7'), 700)
  revocations.stop()
  await service.stop()
})
