import { Redis } from 'ioredis'
import t from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { testSystem } from '../system.ts'
import { killAndWait } from './processes.ts'

const system = await testSystem(t, { ownServers: true, serviceEnv: { PING_EVERY_MS: '600000' } })
const newPerson = people(t, system)
const redis = new Redis(system.system.devstack.redisUrl)
t.teardown(() => redis.disconnect())

t.test('who is connected to a gateway that sleeps, is given up and wakes up again misses nothing', async (t) => {
  const [one, two] = [await newPerson(), await newPerson()]
  const sender = await one.client({ gateway: 0 })
  const receiver = await two.socket({ gateway: 1, sync: true })
  const sleeper = system.pid('gateway-2')
  process.kill(sleeper, 'SIGSTOP')
  t.teardown(() => process.kill(sleeper, 'SIGCONT'))
  await eventually(async () => (await redis.keys('node:*')).length === 1, 'its heartbeat lapses')
  // One that has not been told of the binding, and so takes what Redis says of it.
  await killAndWait(system, 'message-service-1')
  await sender.send({ to: two.id, text: 'good night' })
  process.kill(sleeper, 'SIGCONT')
  t.match(await receiver.next('message'), { contentStr: 'good night', seq: 1 })
})
