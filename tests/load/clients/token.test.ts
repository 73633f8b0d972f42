import { jwtVerify } from 'jose'
import t from 'tap'
import { signToken } from './token.ts'

t.test('a token that is signed here is what a login server makes', async (t) => {
  const key = (secret: string) => new TextEncoder().encode(secret)
  const token = signToken('a secret', '42', 60)
  const { payload, protectedHeader } = await jwtVerify(token, key('a secret'), {
    requiredClaims: ['sub', 'exp', 'iat'],
  })
  t.same(protectedHeader, { alg: 'HS256' })
  t.equal(payload.sub, '42')
  t.equal((payload.exp ?? 0) - (payload.iat ?? 0), 60)
  await t.rejects(jwtVerify(token, key('another')))
})
