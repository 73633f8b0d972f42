import { sendInput } from '@qunxin/contracts'
import { validate } from '@qunxin/runtime'
import t from 'tap'
import { refuseOthers } from '../../src/calls/calls.ts'
import { plainText } from '../../src/calls/plain-text.ts'
import { entryOf } from '../../src/calls/send-call.ts'

const USER = '20'
const usual = {
  fromUserId: 20,
  toUserId: 7,
  sessionId: '',
  msgId: 'm-1',
  msgContentType: '1',
  contentStr: '你好',
  sendDate: 1,
}

/** What the schema makes of it; undefined for a refusal. */
function bySchema(data: Record<string, unknown>) {
  try {
    const input = validate(sendInput, data)
    refuseOthers(data, { userId: USER, expiresAt: 0 })
    return entryOf(input, USER, 'c1')
  } catch {
    return undefined
  }
}

t.test('the usual message to a user and to a group is read without the schema', async (t) => {
  t.match(plainText(usual, USER, 'c1'), { conversation: 'p7-20', to: '7', text: '你好', sentAt: 1 })
  t.match(plainText({ ...usual, sessionId: '5', toUserId: 0 }, USER, 'c1'), { conversation: 'g5', group: '5' })
})

const VALUES = [undefined, null, '', 0, 1, -1, 7, 20, 1.5, '7', '20', '007', 'x y', 2 ** 53, Number.NaN, true, {}, []]
const FIELDS = [...Object.keys(usual), 'userId', 'url', 'filename', 'secret', 'length', 'lat', 'lng', 'addr']

t.test('with any two fields changed, what is read without the schema is what the schema makes of it', async (t) => {
  const changes = FIELDS.flatMap((field) => VALUES.map((value) => ({ field, value })))
  let read = 0
  for (const one of changes)
    for (const other of changes) {
      const data = { ...usual, [one.field]: one.value, [other.field]: other.value }
      const plain = plainText(data, USER, 'c1')
      if (plain === undefined) continue
      read += 1
      const schema = bySchema(data)
      if (!schema || sorted(plain) !== sorted(schema)) t.same(plain, schema, JSON.stringify(data))
    }
  t.ok(read > 1_000, `${read} were read without the schema`)
})

function sorted(entry: object): string {
  return JSON.stringify(Object.entries(entry).sort(([one], [other]) => (one < other ? -1 : 1)))
}
