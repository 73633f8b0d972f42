import t from 'tap'
import { MOST_DIGITS, readBase36, writeBase36 } from './base36.ts'

t.test('numbers are written and read as toString(36) does', async (t) => {
  const into = new Uint8Array(MOST_DIGITS)
  for (const number of [0, 1, 9, 10, 35, 36, 37, 1_295, 1_296, 46_655, 2 ** 31, 36 ** 7 - 1]) {
    const count = writeBase36(number, into)
    const bytes = into.subarray(MOST_DIGITS - count)
    t.equal(Buffer.from(bytes).toString(), number.toString(36))
    t.equal(readBase36(bytes, 0, count), number)
  }
})

t.test('anything else is none', async (t) => {
  for (const text of ['', '00', '01', 'A', '1A', '-1', ' 1', '1 ', '1/', '1:', '1`', '1{', '12345678', 'é'])
    t.equal(readBase36(Buffer.from(text), 0, Buffer.byteLength(text)), -1, JSON.stringify(text))
})
