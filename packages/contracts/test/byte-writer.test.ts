import t from 'tap'
import { ByteWriter, ready } from '../src/index.ts'

const NUMBERS = [0, 7, 10, 99_999, 999_999, 1_000_000, 1_000_001, 1_700_000_000_000, 2 ** 53 - 1, -1, 1.5, 1e21]
const UNITS = [
  'a',
  '"',
  '\\',
  '\n',
  '\u0001',
  '\u007f',
  'é',
  '\u07ff',
  '\u0800',
  '好',
  '\uffff',
  '👋',
  '\ud800',
  '\udc00',
]

/** Texts of all kinds of characters, short ones and some that are too long for a loop. */
function* texts(): Generator<string> {
  yield ''
  yield* UNITS
  for (let length = 1; length < 40; length++)
    yield Array.from({ length }, (_, i) => UNITS[(i * length * 7 + length) % UNITS.length]).join('')
  for (const unit of UNITS) yield `${unit}ab`.repeat(2_000)
}

const written = (write: (out: ByteWriter) => void) => {
  const out = new ByteWriter()
  out.put(ready('['))
  write(out)
  return Buffer.from(out.copy()).toString('latin1').slice(1)
}
const expected = (text: string) => Buffer.from(text).toString('latin1')

t.test('a text is written as UTF-8, and in JSON as JSON.stringify has it', async (t) => {
  for (const text of texts()) {
    t.equal(
      written((out) => out.text(text)),
      expected(text),
    )
    t.equal(
      written((out) => out.json(text)),
      expected(JSON.stringify(text)),
    )
  }
})

t.test('a text said to be the same in JSON is', async (t) => {
  let same = 0
  for (const text of texts()) {
    const out = new ByteWriter()
    if (!out.text(text)) continue
    same += 1
    const utf8 = out.copy()
    t.equal(
      written((json) => json.quoted(utf8)),
      expected(JSON.stringify(text)),
    )
  }
  t.ok(same > 3)
})

t.test('a number is written as JSON has it', async (t) => {
  for (const number of NUMBERS)
    t.equal(
      written((out) => out.number(number)),
      JSON.stringify(number),
    )
})

t.test('numbers of fixed length are little endian', async (t) => {
  const out = new ByteWriter()
  const numbers = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31), 77]
  for (const number of numbers) {
    out.int32(number)
    out.double(number / 3)
  }
  const bytes = Buffer.from(out.copy())
  for (const [i, number] of numbers.entries()) {
    t.equal(bytes.readInt32LE(12 * i), number)
    t.equal(bytes.readDoubleLE(12 * i + 4), number / 3)
  }
})

t.test('what stands one behind the other stays whole while the room grows', async (t) => {
  const out = new ByteWriter()
  const part = ready('0123456789'.repeat(10))
  for (let i = 0; i < 500; i++) {
    out.put(part)
    out.byte(0x2c)
    out.put(part, 3)
  }
  t.equal(Buffer.from(out.copy()).toString(), `${'0123456789'.repeat(10)},012`.repeat(500))
})
