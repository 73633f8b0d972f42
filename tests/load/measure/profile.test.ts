import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import t from 'tap'
import { busiestOf, type CpuProfile, profiledInto, profilesText, spanOf } from './profile.ts'

const frame = (functionName: string, url = '', lineNumber = -1) => ({ functionName, url, lineNumber })
const here = import.meta.url.replace(/tests\/load.*$/, '')
const profile: CpuProfile = {
  nodes: [
    { id: 1, callFrame: frame('(idle)') },
    { id: 2, callFrame: frame('send', `${here}services/a/src/b.ts`, 11) },
    { id: 3, callFrame: frame('', `${here}node_modules/.pnpm/ws@8/node_modules/ws/lib/sender.js`, 0) },
    // Called from elsewhere: another node, the same function.
    { id: 4, callFrame: frame('send', `${here}services/a/src/b.ts`, 11) },
  ],
  startTime: 1_000,
  samples: [2, 1, 3, 4, 2],
  timeDeltas: [0, 10, 100, 20, 30],
}

t.test('time is that of a function itself, and what was idle is none', async (t) => {
  t.same(busiestOf(profile, { from: 0, until: 10_000 }), {
    busyMicros: 60,
    functions: [
      ['send services/a/src/b.ts:12', 40],
      ['(anonymous) ws/lib/sender.js:1', 20],
    ],
  })
})

t.test('only what was in the span counts', async (t) => {
  t.same(busiestOf(profile, { from: 1_110, until: 1_130 }).functions, [['(anonymous) ws/lib/sender.js:1', 20]])
})

t.test('a process leaves a profile of what it did, by the clock of this one', async (t) => {
  const directory = t.testdir()
  const began = performance.now()
  const busy = 'function burn() { const until = Date.now() + 300; while (Date.now() < until); } burn(); process.exit()'
  const child = spawn(process.execPath, ['-e', busy], { env: { ...process.env, ...profiledInto(directory) } })
  await once(child, 'exit')
  t.equal((await readdir(directory)).length, 1)
  const span = spanOf(began, (performance.now() - began) / 1_000)
  const nameOfPid = new Map([[child.pid!, 'gateway-1']])
  const text = await profilesText(directory, { span, nameOfPid })
  t.match(text, /^gateway-1: busy [\d.]+ % of [\d.]+ s, of which in\n +[\d.]+ % /)
  t.match(text, ' burn ')
  const before = { from: span.from - 2_000_000, until: span.from }
  t.match(await profilesText(directory, { span: before, nameOfPid }), /^gateway-1: busy 0 %/)
})
