import t, { type Test } from 'tap'
import { eventually } from '../eventually.ts'
import { people } from '../people.ts'
import { breakableServers } from './breakable-servers.ts'
import { type LoneService, loneService } from './lone-service.ts'
import { isReady } from './processes.ts'

t.setTimeout(4 * 60_000)
const breakable = await breakableServers()

type Env = Awaited<ReturnType<typeof breakable>>['env']
/** Takes group-service away, and answers with what brings it back. */
type Leave = (t: Test, groupService: LoneService, env: Env) => Promise<() => Promise<void>>

async function started(t: Test, kind: Parameters<typeof loneService>[1], env: Env): Promise<LoneService> {
  const service = await loneService(t, kind, env)
  await eventually(() => isReady(service.opsUrl), `${kind} takes work`)
  return service
}

const ways: Record<string, Leave> = {
  'is gone': async (t, groupService, env) => {
    await groupService.stop()
    return async () => void (await started(t, 'group-service', env))
  },
  'stands still': async (t, { pid }) => {
    process.kill(pid, 'SIGSTOP')
    const goOn = () => void process.kill(pid, 'SIGCONT')
    t.teardown(goOn)
    return async () => goOn()
  },
}

for (const [how, leave] of Object.entries(ways))
  t.test(
    `who connects while group-service ${how} gets personal messages, and those of groups afterwards`,
    async (t) => {
      const { env, authSecret, url } = await breakable(t)
      const [groupService] = await Promise.all([
        started(t, 'group-service', env),
        started(t, 'message-service', env),
        started(t, 'gateway', env),
      ])
      const newPerson = people(t, { urls: [url], authSecret })
      const [one, two] = [await newPerson(), await newPerson()]
      const group = { groupName: 'g', memberIds: [one.number, two.number] }
      const { groupId } = (await one.post('/chat/group!createGroup', group)).data
      const sender = await one.client({ sendTimeoutMs: 120_000 })
      const inGroup = (text: string) => sender.send({ group: groupId, text })
      const personal = (text: string) => sender.send({ to: two.id, text })
      for (const text of ['g1', 'g2', 'g3']) await inGroup(text)
      for (const text of ['p1', 'p2']) await personal(text)

      const comeBack = await leave(t, groupService, env)
      await personal('p3')
      const receiver = await two.socket()
      await receiver.next('message', ({ contentStr }) => contentStr === 'p3')
      // Kept until members can be asked for again, or stored by who knows them a moment longer.
      const late = inGroup('g4')
      await personal('p4')
      await receiver.next('message', ({ contentStr }) => contentStr === 'p4')
      t.same(receiver.texts, ['p1', 'p2', 'p3', 'p4'])

      await comeBack()
      await late
      await inGroup('g5')
      await receiver.next('message', ({ contentStr }) => contentStr === 'g5')
      await personal('p5')
      await receiver.next('message', ({ contentStr }) => contentStr === 'p5')
      t.same(receiver.texts.slice(4), ['g1', 'g2', 'g3', 'g4', 'g5', 'p5'])
    },
  )
