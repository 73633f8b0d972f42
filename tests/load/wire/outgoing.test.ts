import t from 'tap'
import { History } from '../history.ts'
import { textHash, textOf } from '../text.ts'
import { FrameReader, MASK } from './frames.ts'
import { dateBytes, Outgoing } from './outgoing.ts'

/** The payload of a frame of ours, whose header says so and is masked with that key. */
function payloadOf(frame: Buffer): string {
  t.equal(frame[0], 0x81)
  t.equal((frame[1] as number) & 0x80, 0x80)
  const short = ((frame[1] as number) & 0x7f) < 126
  const begin = short ? 6 : 8
  t.equal(short ? (frame[1] as number) & 0x7f : frame.readUInt16BE(2), frame.length - begin)
  t.same([...frame.subarray(begin - 4, begin)], [MASK, MASK, MASK, MASK])
  return Buffer.from(frame.subarray(begin).map((byte) => byte ^ MASK)).toString()
}

t.test('a frame is what the SDK would send, and its text is what the history expects', async (t) => {
  const history = new History('run')
  for (const conversation of ['p7-42', 'g66f0']) {
    const outgoing = new Outgoing({ run: 'run', userId: 42, conversation })
    const group = conversation === 'g66f0'
    for (const units of [0, 5, 6, 7, 8, 40, 120, 4_900])
      for (let i = 0; i < 100; i++) {
        const attempt = history.attempted(0, 0, { units, intendedAt: 0 })
        const msgId = history.msgId(attempt)
        const text = textOf(msgId, attempt, units)
        t.equal(history.attempts.hash.at(attempt), textHash(text))
        const into = Buffer.alloc(outgoing.room(units))
        const end = outgoing.write(into, 0, { attempt, units, date: dateBytes(1_700_000_000_123) })
        const data = {
          fromUserId: 42,
          toUserId: group ? 0 : 7,
          sessionId: group ? '66f0' : '',
          msgId,
          msgContentType: '1',
          contentStr: text,
          sendDate: 1_700_000_000_123,
        }
        const expected = JSON.stringify({ tag: 'message', data })
        const found = payloadOf(into.subarray(0, end))
        if (found !== expected) t.equal(found, expected)
      }
  }
})

t.test('frames are read however they are cut, and none behind one that ends the reading', async (t) => {
  const short = Buffer.from('short')
  const long = Buffer.alloc(70_000, 'x')
  const medium = Buffer.alloc(300, 'y')
  const stream = Buffer.concat([
    Buffer.from([0x81, short.length]),
    short,
    Buffer.from([0x81, 126, 300 >> 8, 300 & 0xff]),
    medium,
    Buffer.from([0x89, 0]),
    Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 1, (70_000 - 65_536) >> 8, (70_000 - 65_536) & 0xff]),
    long,
    Buffer.from([0x8a, 1, 0x31]),
  ])
  const expected = [
    [1, 'short'],
    [1, medium.toString()],
    [9, ''],
    [1, long.toString()],
    [10, '1'],
  ]
  const readAs = (sizes: number, last = Number.POSITIVE_INFINITY) => {
    const found: [number, string][] = []
    const reader = new FrameReader({
      frame: (opcode, bytes, { start, end }) => found.push([opcode, bytes.toString('utf8', start, end)]) < last,
      broken: (what) => t.fail(what),
    })
    // One buffer for all that is read, as sockets have it.
    const shared = Buffer.alloc(sizes)
    for (let at = 0; at < stream.length && found.length < last; at += sizes) {
      const length = stream.copy(shared, 0, at, at + sizes)
      reader.read(shared, 0, length)
    }
    return found
  }
  for (const sizes of [1_000, 7_777, 311, 65_536, stream.length]) t.same(readAs(sizes), expected, `${sizes} at a time`)
  t.same(readAs(stream.length, 2), expected.slice(0, 2))
})

t.test('what a server of ours does not send is none of its frames', async (t) => {
  for (const [what, begin] of [
    ['a fragment', [0x01, 1, 0x61]],
    ['a marked frame', [0xc1, 1, 0x61]],
    ['a masked frame', [0x81, 0x81, 1, 2, 3, 4, 0x61]],
  ] as const) {
    const broken: string[] = []
    const reader = new FrameReader({ frame: () => true, broken: (why) => broken.push(why) })
    reader.read(Buffer.from(begin), 0, begin.length)
    t.equal(broken.length, 1, what)
  }
})
