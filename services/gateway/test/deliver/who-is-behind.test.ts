import { once } from 'node:events'
import { AppError, createLogger } from '@qunxin/runtime'
import t from 'tap'
import { WhoIsBehind } from '../../src/deliver/who-is-behind.ts'

type Answer = PromiseWithResolvers<{ behind: string[]; backlogs?: [string, { seq: number }[]][] }>

/** `next` is the next question that is asked. */
function setup() {
  const questions = new EventTarget()
  const asked: { userIds: string[]; answer: Answer }[] = []
  const bus = {
    request(_operation: unknown, { userIds }: { userIds: string[] }) {
      const answer: Answer = Promise.withResolvers()
      asked.push({ userIds, answer })
      questions.dispatchEvent(new Event('asked'))
      return answer.promise
    },
  }
  const next = async () => {
    await once(questions, 'asked')
    return asked.at(-1) as (typeof asked)[number]
  }
  return { asked, next, who: new WhoIsBehind({ bus: bus as never, logger: createLogger('test', 'silent') }) }
}

t.test('who comes in one turn is asked about together, and who comes meanwhile with the next question', async (t) => {
  const { asked, next, who } = setup()
  const first = [who.of('1'), who.of('2')]
  const { userIds, answer } = await next()
  t.same(userIds, ['1', '2'])
  const others = [who.of('2'), who.of('3'), who.of('2')]
  const second = next()
  answer.resolve({ behind: ['1'] })
  t.same(await Promise.all(first), [undefined, []])
  t.same((await second).userIds, ['2', '3'])
  t.equal(asked.length, 2)
  asked[1]?.answer.resolve({ behind: ['2'] })
  t.same(await Promise.all(others), [undefined, [], undefined])
})

t.test(
  'what is brought along goes to whoever waits for it, and who is named besides is to be read alone',
  async (t) => {
    const { next, who } = setup()
    const all = ['1', '2', '3', '2'].map((user) => who.of(user))
    const { answer } = await next()
    answer.resolve({ behind: ['3'], backlogs: [['2', [{ seq: 7 }]]] })
    t.same(await Promise.all(all), [[], [{ seq: 7 }], undefined, [{ seq: 7 }]])
  },
)

t.test('while nobody answers everybody may be behind, and for a while nobody is asked', async (t) => {
  const { asked, next, who } = setup()
  const first = who.of('1')
  const { answer } = await next()
  answer.reject(new AppError('UNAVAILABLE'))
  t.equal(await first, undefined)
  t.equal(who.of('2'), undefined)
  t.equal(asked.length, 1)
})
