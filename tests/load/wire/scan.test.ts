import { randomInt } from 'node:crypto'
import t from 'tap'
import { drawFrom } from '../faults/draw.ts'
import { textHash, textOf } from '../text.ts'
import { kinds, Scanner } from './scan.ts'

const seed = randomInt(2 ** 31)
const { next } = drawFrom(seed, 0)
const below = (count: number) => Math.floor(next() * count)
const one = <T>(list: readonly T[]) => list[below(list.length)] as T

/** Between other bytes, as it stands in what a socket read. */
function scan(frame: string | Buffer) {
  const bytes = Buffer.concat([Buffer.from('}"1'), Buffer.from(frame), Buffer.from('7"}}')])
  const scanner = new Scanner()
  const kind = scanner.scan(bytes, 3, bytes.length - 4)
  const text = (start: number, end: number) => bytes.toString('utf8', start, end)
  return { kind, scanner, msgId: text(scanner.msgIdStart, scanner.msgIdEnd), session: sessionOf(scanner, text) }
}

function sessionOf({ sessionStart, sessionEnd }: Scanner, text: (start: number, end: number) => string): string {
  return text(sessionStart, sessionEnd)
}

const PIECES = ['a', 'Z', '9', ' ', '敏捷的', '狐狸；', 'é', '߿', 'ࠀ', '￿', '🦊', '\u{10ffff}', '/', '}', ']', ',']
const ESCAPED = ['"', '\\', '\n', '\t', '\u0001', '\ud800']

const plainText = () => Array.from({ length: below(60) }, () => one(PIECES)).join('')
const anyText = () => (below(4) === 0 ? `${plainText()}${one(ESCAPED)}${plainText()}` : plainText())

function shuffled<T>(list: T[]): T[] {
  return list
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}

function randomMessage(text: string): Record<string, unknown> {
  const extra = [
    ['state', 1],
    ['sendDate', below(2 ** 40)],
    ['own', true],
    ['gone', null],
    ['url', 'https://x/?a=1'],
  ]
  const entries: unknown[][] = [
    ['fromUserId', below(2 ** 46)],
    ['toUserId', below(2 ** 46)],
    ['contentStr', text],
    ['serverReceiveDate', below(2 ** 42)],
    ['msgId', one(['run-0', 'run-zz9', 'other', '', 'a b'])],
    ['msgContentType', 1],
    ['sessionId', one(['', '', 'g1', '66f0'])],
    ['seq', below(2 ** 31)],
    ...extra.filter(() => below(2) === 0),
  ]
  return Object.fromEntries(below(2) === 0 ? entries : shuffled(entries)) as Record<string, unknown>
}

t.test(`messages are found to be what JSON.parse finds, or left to it (seed ${seed})`, async (t) => {
  let taken = 0
  for (let i = 0; i < 5_000; i++) {
    const text = anyText()
    const frame = JSON.stringify({ tag: 'message', data: randomMessage(text) })
    const { kind, scanner, msgId, session } = scan(frame)
    if (kind === kinds.other) {
      if (JSON.stringify(text) === `"${text}"`) t.fail(`left: ${frame}`)
      continue
    }
    taken += 1
    const { data } = JSON.parse(frame)
    const { seq, at, fromUserId, toUserId, hash } = scanner
    const found = { seq, at, fromUserId, toUserId, hash, msgId, session }
    const { serverReceiveDate, contentStr, sessionId, ...rest } = data
    const expected = { ...rest, at: serverReceiveDate, hash: textHash(contentStr), session: sessionId }
    for (const [name, value] of Object.entries(found))
      if (value !== expected[name]) t.fail(`${name} is ${value}, not ${expected[name]}: ${frame}`)
  }
  t.ok(taken > 2_500, `${taken} were taken`)
})

t.test('acknowledgements are found to be what JSON.parse finds; refusals are left to it', async (t) => {
  for (const duplicate of [{}, { duplicate: true }]) {
    const ack = {
      msgId: 'run-1a',
      sessionId: '',
      peerUserId: 7,
      seq: 12,
      serverReceiveDate: 1_700_000_000_123,
      state: 1,
    }
    const { kind, scanner, msgId } = scan(JSON.stringify({ tag: 'messageAck', data: { ...ack, ...duplicate } }))
    t.equal(kind, kinds.messageAck)
    t.match({ ...scanner, msgId }, { seq: 12, at: 1_700_000_000_123, msgId: 'run-1a' })
  }
  for (const refusal of [
    { code: 5003, info: '' },
    { code: 1007, info: '操作过于频繁', details: { retryAfterMs: 5 } },
  ])
    t.equal(scan(JSON.stringify({ tag: 'messageAck', data: { msgId: 'run-1', ...refusal } })).kind, kinds.other)
})

const GOOD =
  '{"tag":"message","data":{"fromUserId":1,"toUserId":2,"sessionId":"","seq":3,"msgId":"m","contentStr":"x","serverReceiveDate":4}}'

t.test('whatever is not written so is left', async (t) => {
  t.equal(scan(GOOD).kind, kinds.message)
  const wrong: [string, string][] = [
    ['"tag":"message"', '"tag":"messageChanged"'],
    ['"tag":"message"', '"tag": "message"'],
    ['"seq":3', '"seq":3.5'],
    ['"seq":3', '"seq":-3'],
    ['"seq":3', '"seq":3e2'],
    ['"seq":3', '"seq":03'],
    ['"seq":3', '"seq":"3"'],
    ['"seq":3', '"seq":null'],
    ['"seq":3', '"seq":1234567890123456'],
    ['"seq":3,', ''],
    ['"seq":3', '"sEq":3'],
    ['"seq":3', '"seq":3,"change":{"kind":"edit"}'],
    ['"msgId":"m"', '"msgId":5'],
    ['"msgId":"m"', '"msgId":"\\u006d"'],
    ['"contentStr":"x"', '"contentStr":7'],
    ['"fromUserId":1,', '"fromUserId":1, '],
    ['4}}', '4}} '],
    ['4}}', '4},"more":1}'],
    ['4}}', '4}'],
    ['4}}', '4,}}'],
  ]
  for (const [from, to] of wrong) t.equal(scan(GOOD.replace(from, to)).kind, kinds.other, to)
  for (let end = 0; end < GOOD.length; end++)
    if (scan(GOOD.slice(0, end)).kind !== kinds.other) t.fail(GOOD.slice(0, end))
})

t.test('bytes that are not UTF-8 are left', async (t) => {
  const [before = '', behind = ''] = GOOD.split('"x"')
  const wrong = [
    '80',
    'c0af',
    'c3',
    'c328',
    'e0809f',
    'e28281',
    'eda080',
    'f08080af',
    'f4908080',
    'f5808080',
    'ff',
    'bfbf',
  ]
  for (const hex of wrong) {
    const bytes = Buffer.concat([Buffer.from(`${before}"`), Buffer.from(hex, 'hex'), Buffer.from(`"${behind}`)])
    if (hex !== 'e28281') t.equal(scan(bytes).kind, kinds.other, hex)
    else t.equal(scan(bytes).scanner.hash, textHash('₁'))
  }
})

t.test('texts of the load are taken', async (t) => {
  const text = textOf('run-1', 50, 120)
  const { kind, scanner } = scan(GOOD.replace('"x"', JSON.stringify(text)))
  t.equal(kind, kinds.message)
  t.equal(scanner.hash, textHash(text))
})
