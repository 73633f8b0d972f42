import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startChild } from '../src/child.ts'
import { supervise } from '../src/supervise.ts'
import { waitUntil } from '../src/wait.ts'

/** Settles with the first line that matches. */
function expectation() {
  const waiting: { pattern: RegExp; resolve: (line: string) => void }[] = []
  return {
    progress: (line: string) => {
      for (const { pattern, resolve } of waiting) if (pattern.test(line)) resolve(line)
    },
    line: (pattern: RegExp) => new Promise<string>((resolve) => waiting.push({ pattern, resolve })),
  }
}

function program(t: Test, source: string) {
  const folder = t.testdir()
  const script = join(folder, 'program.mjs')
  writeFileSync(script, source)
  const logFile = join(folder, 'program.log')
  return { name: 'program', command: process.execPath, args: [script], logFile }
}

const LIVES = 'console.log("up"); setInterval(() => {}, 1000)'

t.test('a process that is killed is started again, and says so with its new number', async (t) => {
  const lines = expectation()
  const pids: number[] = []
  const options = program(t, LIVES)
  const supervised = await supervise({
    name: 'program',
    spawn: () => startChild(options),
    ready: async () => {},
    progress: lines.progress,
    onSpawn: (pid) => pids.push(pid),
  })
  t.teardown(() => supervised.stop())
  const first = supervised.pid
  const ended = lines.line(/ended: signal SIGKILL\. Starting it again/)
  const back = lines.line(/is back/)
  process.kill(first, 'SIGKILL')
  t.match(await ended, `program (pid ${first})`)
  t.match(await back, `program is back (pid ${supervised.pid})`)
  t.not(supervised.pid, first)
  t.same(pids, [first, supervised.pid])
})

t.test('after a stop nothing is started again', async (t) => {
  const options = program(t, LIVES)
  let spawns = 0
  const supervised = await supervise({
    name: 'program',
    spawn: () => {
      spawns += 1
      return startChild(options)
    },
    ready: async () => {},
    progress: (line) => t.fail(line),
  })
  await supervised.stop()
  t.notOk(supervised.running)
  t.throws(() => process.kill(supervised.pid, 0))
  t.equal(spawns, 1)
})

t.test('a process that ends while starting is a fault that shows its last words', async (t) => {
  const options = program(t, 'console.log("no such setting: COLOUR"); process.exit(3)')
  const start = supervise({
    name: 'program',
    spawn: () => startChild(options),
    ready: (child) => waitUntil<void>(child, async () => undefined),
    progress: () => {},
  })
  await t.rejects(start, { name: 'SetupError', message: /program ended while starting[\s\S]*no such setting: COLOUR/ })
})

t.test('a start that is given up ends the process', async (t) => {
  const options = program(t, LIVES)
  const giveUp = new AbortController()
  let pid = 0
  const start = supervise({
    name: 'program',
    spawn: () => startChild(options),
    ready: (child) => waitUntil<void>(child, async () => undefined),
    progress: () => {},
    onSpawn: (spawned) => {
      pid = spawned
      setImmediate(() => giveUp.abort())
    },
    signal: giveUp.signal,
  })
  await t.rejects(start)
  t.throws(() => process.kill(pid, 0))
})

t.test('a process that ignores SIGTERM is killed when its time is over', async (t) => {
  const options = program(t, 'process.on("SIGTERM", () => {}); console.log("up"); setInterval(() => {}, 1000)')
  const child = await startChild(options)
  await waitUntil(child, async () => readFileSync(options.logFile, 'utf8').includes('up') || undefined)
  t.same(await child.stop(100), { code: null, signal: 'SIGKILL' })
})

async function lively(t: Test, source = LIVES) {
  const options = program(t, source)
  const lines: string[] = []
  const said = (pattern: RegExp) => readFileSync(options.logFile, 'utf8').match(pattern) !== null || undefined
  const supervised = await supervise({
    name: 'program',
    spawn: () => startChild(options),
    ready: async (child) => void (await waitUntil(child, async () => said(new RegExp(`up ${child.pid}\\b`)))),
    progress: (line) => lines.push(line),
  })
  t.teardown(() => supervised.stop())
  return { supervised, lines, said, logFile: options.logFile }
}

const SAYS_ITS_NUMBER = 'console.log("up", process.pid); setInterval(() => {}, 1000)'

t.test('a kill resolves when the successor takes work', async (t) => {
  const { supervised, said } = await lively(t, SAYS_ITS_NUMBER)
  const killed = supervised.pid
  await supervised.kill()
  t.not(supervised.pid, killed)
  t.ok(said(new RegExp(`up ${supervised.pid}`)))
  t.throws(() => process.kill(killed, 0))
})

t.test('a restart asks by SIGTERM and tells how the process ended and how long it took', async (t) => {
  const drains =
    'process.on("SIGTERM", () => setTimeout(() => process.exit(7), 30)); console.log("up", process.pid); setInterval(() => {}, 1000)'
  const { supervised, lines } = await lively(t, drains)
  const first = supervised.pid
  const { code, signal, drainMs, readyMs } = await supervised.restart()
  t.same({ code, signal }, { code: 7, signal: null })
  t.ok(drainMs >= 25, `drained for ${drainMs} ms`)
  t.ok(readyMs >= drainMs)
  t.not(supervised.pid, first)
  t.match(lines, [/ended as it was asked to: exit code 7/, /is back/])
})

t.test('a paused process does nothing until it is resumed', async (t) => {
  const { supervised } = await lively(t, SAYS_ITS_NUMBER)
  const state = () => /\) (\S) /.exec(readFileSync(`/proc/${supervised.pid}/stat`, 'utf8'))?.[1]
  supervised.pause()
  while (state() !== 'T') await sleep(5)
  supervised.resume()
  while (state() === 'T') await sleep(5)
  t.ok(supervised.running)
})

t.test(
  'a process that is stopped for good says how it ended, and cannot be killed or restarted any more',
  async (t) => {
    const { supervised } = await lively(t, SAYS_ITS_NUMBER)
    t.match(await supervised.stop(), { code: null, signal: 'SIGTERM', drainMs: Number })
    await t.rejects(supervised.kill(), /stopped for good/)
    await t.rejects(supervised.restart(), /stopped for good/)
  },
)

t.test('whoever waits for a successor that runs but never takes work is told so', async (t) => {
  const options = program(t, LIVES)
  let starts = 0
  const supervised = await supervise({
    name: 'program',
    spawn: () => startChild(options),
    ready: async () => {
      starts += 1
      if (starts > 1) throw new Error('not ready within 60 s')
    },
    progress: () => {},
  })
  t.teardown(() => supervised.stop())
  await t.rejects(supervised.restart(), /not ready within 60 s/)
  t.ok(supervised.running)
})
