import t from 'tap'
import { readSettings } from '../../src/system/settings.ts'

t.test(
  'without settings there is one of each, on port 8080, with its data in an ignored folder of the repository',
  async (t) => {
    const settings = readSettings({})
    t.match(settings, {
      port: 8080,
      gateways: 1,
      groupServices: 1,
      messageServices: 1,
      rateLimits: true,
      host: '127.0.0.1',
    })
    t.ok(settings.dataDir.endsWith('/.data'))
    t.notOk('authSecret' in settings)
  },
)

t.test('every setting is honoured', async (t) => {
  const secret = 'x'.repeat(32)
  const env = {
    PORT: '9000',
    GATEWAYS: '2',
    GROUP_SERVICES: '3',
    MESSAGE_SERVICES: '4',
    AUTH_SECRET: secret,
    DATA_DIR: '/data',
    RATE_LIMITS: 'off',
  }
  t.match(readSettings(env), {
    port: 9000,
    gateways: 2,
    groupServices: 3,
    messageServices: 4,
    authSecret: secret,
    dataDir: '/data',
    rateLimits: false,
  })
})

t.test('an empty setting counts as absent', async (t) => {
  t.match(readSettings({ PORT: '', DATA_DIR: '', RATE_LIMITS: '', AUTH_SECRET: '' }), { port: 8080, rateLimits: true })
})

t.test('all wrong settings are listed at once', async (t) => {
  const env = { PORT: 'http', GATEWAYS: '0', MESSAGE_SERVICES: '1.5', RATE_LIMITS: 'maybe' }
  try {
    readSettings(env)
    t.fail('they were accepted')
  } catch (error) {
    for (const name of Object.keys(env)) t.match(String(error), new RegExp(`  ${name} is `))
  }
})
