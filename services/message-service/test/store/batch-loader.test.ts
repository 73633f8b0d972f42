import t from 'tap'
import { BatchLoader } from '../../src/store/batch-loader.ts'

/** A loader of at most two keys at a time, whose questions the test answers. */
function setup() {
  const questions: { keys: string[]; answer: PromiseWithResolvers<string[]> }[] = []
  let asked = Promise.withResolvers<void>()
  const loader = new BatchLoader<string, string>(2, (keys) => {
    const answer = Promise.withResolvers<string[]>()
    questions.push({ keys, answer })
    asked.resolve()
    asked = Promise.withResolvers()
    return answer.promise
  })
  const next = async () => {
    await asked.promise
    return questions.at(-1) as (typeof questions)[number]
  }
  return { loader, next, questions }
}

t.test(
  'who comes in one turn goes together, and who comes meanwhile with the next question, each key once',
  async (t) => {
    const { loader, next, questions } = setup()
    const first = [loader.of('a'), loader.of('a')]
    const one = await next()
    t.same(one.keys, ['a'])
    const later = ['a', 'b', 'c'].map((key) => loader.of(key))
    one.answer.resolve(['A'])
    t.same(await Promise.all(first), ['A', 'A'])
    const two = await next()
    t.same(two.keys, ['a', 'b'], 'so many at most')
    two.answer.resolve(['A2', 'B'])
    const three = await next()
    three.answer.resolve(['C'])
    t.same(await Promise.all(later), ['A2', 'B', 'C'])
    t.equal(questions.length, 3)
  },
)

t.test('a question that fails fails for those who were in it', async (t) => {
  const { loader, next } = setup()
  const both = [t.rejects(loader.of('a'), { message: 'away' }), t.rejects(loader.of('b'), { message: 'away' })]
  const one = await next()
  const third = loader.of('c')
  one.answer.reject(new Error('away'))
  await Promise.all(both)
  const two = await next()
  two.answer.resolve(['C'])
  t.equal(await third, 'C')
})

t.test('who comes behind a question without an answer does not wait for it, and asks anew for the same', async (t) => {
  const { loader, next } = setup()
  const silent = loader.of('a')
  const one = await next()
  const later = [loader.of('a'), loader.of('b')]
  const two = await next()
  t.same(two.keys, ['a', 'b'])
  two.answer.resolve(['A2', 'B'])
  t.same(await Promise.all(later), ['A2', 'B'])
  one.answer.resolve(['A'])
  t.equal(await silent, 'A')
})
