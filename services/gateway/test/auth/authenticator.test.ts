import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import t from 'tap'
import { type AuthConfig, createAuthenticator } from '../../src/auth/authenticator.ts'
import { anHourAgo, inAnHour, SECRET, token } from '../tokens.ts'

const nobodyRevoked = { of: () => 0 }
const bySecret = (config: Partial<AuthConfig> = {}) =>
  createAuthenticator(
    { AUTH_SECRET: SECRET, AUTH_JWKS_URL: undefined, AUTH_AUDIENCE: undefined, AUTH_ISSUER: undefined, ...config },
    { notBefore: nobodyRevoked },
  )
const unauthenticated = { code: 'UNAUTHENTICATED' }
/** As {@link token} makes them, whatever is in it. */
const signed = async (header: unknown, payload: unknown = { sub: '1000221', exp: inAnHour() }) => {
  const content = `${part(header)}.${part(payload)}`
  return `${content}.${createHmac('sha256', SECRET).update(content).digest('base64url')}`
}
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

t.test('a token says who it is for, until when, and for which client', async (t) => {
  const exp = inAnHour()
  const principal = await bySecret().verify(await token({ exp, iat: exp - 3600, client: 'F9FQXGP8FCM5' }))
  t.strictSame(principal, {
    userId: '1000221',
    client: 'F9FQXGP8FCM5',
    expiresAt: exp * 1000,
    issuedAt: exp - 3600,
  })
})

t.test('tokens that are refused', async (t) => {
  const good = await token()
  const [header, payload, signature] = good.split('.')
  const cases = {
    'no token': '',
    'what is no token': 'a.b.c',
    'an expired one': await token({ exp: anHourAgo() }),
    'one without exp': await token({ exp: undefined }),
    'one without sub': await token({ sub: undefined }),
    'one whose sub is no user id': await token({ sub: 'admin' }),
    'one whose sub is 0': await token({ sub: '0' }),
    'one whose client is no text': await token({ client: 7 }),
    'one not valid yet': await token({ nbf: inAnHour() }),
    'one signed with another secret': await token({}, 'another secret of thirty-two bytes and more'),
    'one whose claims were changed': `${header}.${part({ sub: '1', exp: inAnHour() })}.${signature}`,
    'one without a signature': `${header}.${payload}.`,
    'alg none': `${part({ alg: 'none' })}.${part({ sub: '1000221', exp: inAnHour() })}.`,
    'alg NONE': `${part({ alg: 'NONE' })}.${part({ sub: '1000221', exp: inAnHour() })}.`,
    'an HMAC that is not expected': await new SignJWT({ sub: '1000221', exp: inAnHour() })
      .setProtectedHeader({ alg: 'HS512' })
      .sign(new TextEncoder().encode(SECRET.repeat(2))),
    'one with a signature of more': `${good}.${signature}`,
    'one whose signature is the same bytes in another text': `${good}=`,
    'one whose signature is cut': good.slice(0, -1),
    'one with an extension that must be understood': await signed({ alg: 'HS256', crit: ['b64'], b64: true }),
    'one whose header is no object': await signed(null),
    'one whose payload is no object': await signed({ alg: 'HS256' }, []),
    'one that is endless': `${good}${'a'.repeat(10_000)}`,
  }
  const authenticator = bySecret()
  t.ok(await authenticator.verify(await signed({ alg: 'HS256' })), 'as the others are made')
  for (const [name, refused] of Object.entries(cases))
    await t.rejects(authenticator.verify(refused), unauthenticated, name)
})

t.test('audience and issuer are checked when they are set', async (t) => {
  const authenticator = bySecret({ AUTH_AUDIENCE: 'chat', AUTH_ISSUER: 'https://login' })
  t.match(await authenticator.verify(await token({ aud: 'chat', iss: 'https://login' })), { userId: '1000221' })
  await t.rejects(authenticator.verify(await token({ aud: 'shop', iss: 'https://login' })), unauthenticated)
  await t.rejects(authenticator.verify(await token({ aud: 'chat', iss: 'https://evil' })), unauthenticated)
  await t.rejects(authenticator.verify(await token()), unauthenticated)
})

t.test('a token that was good once is refused when its time is over', async (t) => {
  let now = Date.now()
  const authenticator = createAuthenticator(
    { AUTH_SECRET: SECRET, AUTH_JWKS_URL: undefined, AUTH_AUDIENCE: undefined, AUTH_ISSUER: undefined },
    { notBefore: nobodyRevoked, now: () => now },
  )
  const once = await token({ exp: Math.floor(now / 1000) + 60 })
  await authenticator.verify(once)
  now += 61_000
  await t.rejects(authenticator.verify(once), unauthenticated)
})

t.test('tokens issued before their user was revoked are refused, and those without iat', async (t) => {
  const revokedAt = 1_700_000_000_500
  const authenticator = createAuthenticator(
    { AUTH_SECRET: SECRET, AUTH_JWKS_URL: undefined, AUTH_AUDIENCE: undefined, AUTH_ISSUER: undefined },
    { notBefore: { of: async (user) => (user === '1000221' ? revokedAt : 0) } },
  )
  await t.rejects(authenticator.verify(await token({ iat: 1_699_999_999 })), unauthenticated)
  await t.rejects(authenticator.verify(await token({ iat: undefined })), unauthenticated)
  t.ok(await authenticator.verify(await token({ iat: 1_700_000_000 })), 'issued in the same second')
  t.ok(await authenticator.verify(await token({ sub: '7', iat: undefined })), 'of a user never revoked')
})

t.test('tokens signed with a key of the published set', async (t) => {
  const rsa = await generateKeyPair('RS256')
  const elliptic = await generateKeyPair('ES256')
  const edwards = await generateKeyPair('EdDSA')
  const stranger = await generateKeyPair('RS256')
  const keys = [
    { ...(await exportJWK(rsa.publicKey)), kid: 'rsa', alg: 'RS256' },
    { ...(await exportJWK(elliptic.publicKey)), kid: 'ec', alg: 'ES256' },
    { ...(await exportJWK(edwards.publicKey)), kid: 'ed', alg: 'EdDSA' },
  ]
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  const byKeySet = bySecret({ AUTH_SECRET: undefined, AUTH_JWKS_URL: url })
  const signed = (alg: string, kid: string, key: Parameters<SignJWT['sign']>[0]) =>
    new SignJWT({ sub: '1000221', exp: inAnHour() }).setProtectedHeader({ alg, kid }).sign(key)

  t.match(await byKeySet.verify(await signed('RS256', 'rsa', rsa.privateKey)), { userId: '1000221' })
  t.match(await byKeySet.verify(await signed('ES256', 'ec', elliptic.privateKey)), { userId: '1000221' })
  t.match(await byKeySet.verify(await signed('EdDSA', 'ed', edwards.privateKey)), { userId: '1000221' })
  await t.rejects(byKeySet.verify(await signed('RS256', 'rsa', stranger.privateKey)), unauthenticated)
  await t.rejects(byKeySet.verify(await signed('RS256', 'unknown', stranger.privateKey)), unauthenticated)
  await t.rejects(byKeySet.verify(await token()), unauthenticated, 'HS256 without AUTH_SECRET')

  const both = bySecret({ AUTH_JWKS_URL: url })
  const publicKeyAsSecret = new SignJWT({ sub: '1000221', exp: inAnHour() })
    .setProtectedHeader({ alg: 'HS256', kid: 'rsa' })
    .sign(new TextEncoder().encode(JSON.stringify(keys[0])))
  await t.rejects(both.verify(await publicKeyAsSecret), unauthenticated, 'a public key is never an HMAC secret')
  t.ok(await both.verify(await token()))
  t.ok(await both.verify(await signed('RS256', 'rsa', rsa.privateKey)))
})

t.test('a key set that cannot be had is not the fault of the token', async (t) => {
  const away = bySecret({ AUTH_SECRET: undefined, AUTH_JWKS_URL: 'http://127.0.0.1:9/jwks.json' })
  const { privateKey } = await generateKeyPair('RS256')
  const signed = await new SignJWT({ sub: '1', exp: inAnHour() }).setProtectedHeader({ alg: 'RS256' }).sign(privateKey)
  await t.rejects(away.verify(signed), { code: 'UNAVAILABLE' })
})
