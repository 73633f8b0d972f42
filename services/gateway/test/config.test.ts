import t from 'tap'
import { readConfig } from '../src/config.ts'

t.test('the defaults are usable with a secret alone', async (t) => {
  const config = readConfig({ AUTH_SECRET: 's' })
  t.match(config, {
    PORT: 8080,
    OPS_PORT: 9080,
    DEV_LOGIN: false,
    RATE_LIMITS: true,
    FRAME_LIMIT_BYTES: 65_536,
    BODY_LIMIT_BYTES: 262_144,
    PARTITIONS: 64,
  })
  t.same(config.ALLOWED_ORIGINS, [])
})

t.test('every fault is listed at once', async (t) => {
  const wrong = { PORT: 'http', DEV_LOGIN: 'yes', AUTH_JWKS_URL: 'file:///etc/passwd', SEND_TIMEOUT_MS: '-1' }
  t.throws(() => readConfig(wrong), { message: /PORT[\s\S]*AUTH_JWKS_URL[\s\S]*DEV_LOGIN[\s\S]*SEND_TIMEOUT_MS/ })
  t.throws(() => readConfig({ PORT: 'http' }), { message: /PORT[\s\S]*AUTH_SECRET or AUTH_JWKS_URL/ })
})

t.test('development tokens need a secret to sign them', async (t) => {
  const url = 'https://login.example/jwks.json'
  t.throws(() => readConfig({ DEV_LOGIN: 'true', AUTH_JWKS_URL: url }), { message: /DEV_LOGIN signs/ })
  t.ok(readConfig({ AUTH_JWKS_URL: url }))
})

t.test('origins are a list', async (t) => {
  const { ALLOWED_ORIGINS } = readConfig({ AUTH_SECRET: 's', ALLOWED_ORIGINS: 'https://a.example, https://b.example,' })
  t.same(ALLOWED_ORIGINS, ['https://a.example', 'https://b.example'])
})
