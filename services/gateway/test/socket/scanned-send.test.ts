import { sendInput } from '@qunxin/contracts'
import { validate } from '@qunxin/runtime'
import t from 'tap'
import { refuseOthers } from '../../src/calls/calls.ts'
import { entryOf, type NewSend } from '../../src/calls/send-call.ts'
import type { Connection } from '../../src/socket/connection.ts'
import { ScannedMessage } from '../../src/socket/scanned-message.ts'
import { sendOf } from '../../src/socket/scanned-send.ts'

const USER = '20'
const usual = {
  fromUserId: 20,
  toUserId: 7,
  sessionId: '',
  msgId: 'm-1',
  msgContentType: '1',
  contentStr: '你好 👋',
  sendDate: 1,
}

const connection = () => ({ id: 'c1', userId: USER, lastRow: undefined }) as Connection
const scan = (text: string, of = connection()) => {
  const message = ScannedMessage.read(Buffer.from(text))
  return message && sendOf(message, of)
}
const frame = (data: object) => JSON.stringify({ tag: 'message', data })

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

t.test('the usual message to a user and to a group is read without JSON, in either order of its members', async (t) => {
  const personal = {
    id: 0,
    conn: 'c1',
    from: '20',
    conversation: 'p7-20',
    to: '7',
    text: '你好 👋',
    sentAt: 1,
    msgId: 'm-1',
  }
  t.match(scan(frame(usual)), personal)
  t.match(scan(JSON.stringify({ data: usual, tag: 'message' })), personal)
  const { fromUserId: _, sendDate: __, ...least } = usual
  t.match(scan(frame(least)), { to: '7', sentAt: undefined })
  t.match(scan(frame({ ...usual, sessionId: '5', toUserId: 0 })), { conversation: 'g5', group: '5', to: undefined })
})

t.test('one connection sends here and there', async (t) => {
  const one = connection()
  const sent = [7, 7, 8, 7].map((toUserId) => scan(frame({ ...usual, toUserId }), one)?.conversation)
  t.same(sent, ['p7-20', 'p7-20', 'p8-20', 'p7-20'])
  const groups = ['5', '5', '6', '', '6'].map((sessionId) => scan(frame({ ...usual, sessionId }), one)?.conversation)
  t.same(groups, ['g5', 'g5', 'g6', 'p7-20', 'g6'])
})

t.test('what is cut off, goes on, or is written otherwise is not', async (t) => {
  const text = frame(usual)
  for (let end = 0; end < text.length; end++) t.notOk(ScannedMessage.read(Buffer.from(text.slice(0, end))))
  const others = [
    `${text} `,
    ` ${text}`,
    `${text}}`,
    text.replace(':', ': '),
    text.replace('"m-1"', '"m-1","msgId":"m-1"'),
    text.replace('你好', '\\n'),
    text.replace('你好', '\n'),
    text.replace('"message"', '"messages"'),
    text.replace('"sendDate":1', '"sendDate":01'),
    text.replace('"sendDate":1', '"sendDate":1e3'),
    text.replace('"sendDate":1', '"sendDate":1234567890123456'),
    text.replace('{"fromUserId"', '{,"fromUserId"'),
    text.replace('"sendDate":1', '"sendDate":1,'),
  ]
  for (const other of others) t.notOk(ScannedMessage.read(Buffer.from(other)), other)
})

t.test('what came is there for those who refuse it', async (t) => {
  const message = ScannedMessage.read(Buffer.from(frame(usual)))
  t.same(message?.data, usual)
  t.equal(message?.bytes, Buffer.byteLength(frame(usual)))
})

const VALUES = [undefined, null, '', 0, 1, -1, 7, 20, 1.5, '7', '20', '007', 'x y', 2 ** 53, Number.NaN, true, {}, []]
const FIELDS = [...Object.keys(usual), 'userId', 'url', 'filename', 'secret', 'length', 'lat', 'lng', 'addr']

t.test('with any two fields changed, what is read without JSON is what the schema makes of it', async (t) => {
  const changes = FIELDS.flatMap((field) => VALUES.map((value) => ({ field, value })))
  let read = 0
  for (const one of changes)
    for (const other of changes) {
      const data = { ...usual, [one.field]: one.value, [other.field]: other.value }
      const plain = scan(frame(data))
      if (plain === undefined) continue
      read += 1
      const schema = bySchema(data)
      if (!schema || sorted(plain) !== sorted(schema)) t.same(plain, schema, frame(data))
    }
  t.ok(read > 1_000, `${read} were read without JSON`)
})

function sorted({ text, ...entry }: NewSend): string {
  const { utf8: _, ...others } = entry
  return JSON.stringify(Object.entries({ ...others, text }).sort(([one], [other]) => (one < other ? -1 : 1)))
}
