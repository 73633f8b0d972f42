import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { parseResidentKib, parseStat, readProcess } from './proc.ts'

/** Fields 4 to 22 of a stat: 14 and 15 are ticks of processor time, 22 is when it was started. */
const REST = '1 4711 4711 0 -1 4194304 92 0 0 0 250 50 7 8 20 0 11 0 987654 1100000 12000'

t.test('processor time and the start are found behind any name a program may have', async (t) => {
  for (const name of ['node', 'Web Content', 'a) R 1 2 3', '((', 'name) (of) it', '中文 ) S', ') Z 9 9']) {
    const read = parseStat(`4711 (${name}) S ${REST}`)
    t.strictSame(read, { cpuMicroseconds: 3_000_000, startedAt: 987_654, ended: false }, name)
  }
})

t.test('a process that waits for its parent to take notice has ended', async (t) => {
  t.equal(parseStat(`4711 (node) Z ${REST}`).ended, true)
  t.equal(parseStat(`4711 (node) T ${REST}`).ended, false, 'a stopped one has not')
})

t.test('resident memory is that of the line for it, in KiB', async (t) => {
  t.equal(parseResidentKib('Name:\tVmRSS: 1 kB\nVmPeak:\t  99 kB\nVmRSS:\t  123456 kB\nVmData:\t 7 kB\n'), 123_456)
  t.equal(parseResidentKib('Name:\tnode\nState:\tZ (zombie)\n'), undefined)
})

t.test('a running process is read, one that has ended is not there', async (t) => {
  const own = readProcess(process.pid)
  t.ok(own && own.residentKib > 10_000 && own.cpuMicroseconds > 0 && own.startedAt > 0, JSON.stringify(own))
  const child = spawn(process.execPath, ['-e', ''])
  const pid = child.pid!
  await once(child, 'exit')
  t.equal(readProcess(pid), undefined)
})
