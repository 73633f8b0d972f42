import t from 'tap'
import { withinTime } from '../src/index.ts'

t.test('what answers in time passes, with its value or its error', async (t) => {
  t.equal(await withinTime(10_000, Promise.resolve(1)), 1)
  await t.rejects(withinTime(10_000, Promise.reject(new Error('refused'))), { message: 'refused' })
})

t.test('what never answers is given up', async (t) => {
  await t.rejects(withinTime(10, new Promise(() => {})), { message: /no answer within 10 ms/ })
})
