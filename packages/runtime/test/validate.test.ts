import t from 'tap'
import { z } from 'zod'
import { AppError, toAppError, validate } from '../src/index.ts'

t.test('a wrong field is named, the nested ones by their path', async (t) => {
  const schema = z.object({ a: z.string(), list: z.array(z.number()) })
  t.throws(() => validate(schema, { a: 'x', list: [1, 'two'] }), { code: 'BAD_REQUEST', details: { field: 'list.1' } })
  t.throws(() => validate(schema, null, 'UNAUTHENTICATED'), { code: 'UNAUTHENTICATED', details: { field: '' } })
  t.same(validate(schema, { a: 'x', list: [], more: true }), { a: 'x', list: [] }, 'unknown fields are ignored')
})

t.test('what is no AppError becomes INTERNAL and keeps its cause for the log only', async (t) => {
  const cause = new Error('a password')
  const error = toAppError(cause)
  t.equal(error.code, 'INTERNAL')
  t.equal(error.cause, cause)
  t.notMatch(error.message, /password/)
  const own = new AppError('GROUP_FULL')
  t.equal(toAppError(own), own)
  t.equal(own.retryable, false)
})
