import t from 'tap'
import { sign, verify } from '../src/signature.ts'

const secret = 'a secret of the two'
const now = 1_700_000_000_000
const headers = sign('{"facts":[]}', secret, now)
const given = { timestamp: headers['x-timestamp'] ?? '', signature: headers['x-signature'] ?? '' }

t.test('a signature holds for these bytes, this secret and five minutes', (t) => {
  t.ok(verify('{"facts":[]}', secret, { ...given, now: now + 299_000 }))
  t.notOk(verify('{"facts":[1]}', secret, { ...given, now }))
  t.notOk(verify('{"facts":[]}', 'another secret', { ...given, now }))
  t.notOk(verify('{"facts":[]}', secret, { ...given, now: now + 302_000 }))
  t.notOk(verify('{"facts":[]}', secret, { ...given, timestamp: String(now / 1000 + 200), now: now + 302_000 }))
  t.notOk(verify('{"facts":[]}', secret, { timestamp: 'soon', signature: '', now }))
  t.end()
})

t.test('it can be made with openssl as well', (t) => {
  // printf '1700000000.{"facts":[]}' | openssl dgst -sha256 -hmac 'a secret of the two'
  t.equal(given.timestamp, '1700000000')
  t.equal(given.signature, 'sha256=611c30927dbce4d2c1caebcb0153de1c0b85bf957da9f470ec7b3ac56f22f296')
  t.end()
})
