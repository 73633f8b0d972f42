import { spawn } from 'node:child_process'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serialize } from 'node:v8'
import t, { type Test } from 'tap'
import { testSystem } from '../system.ts'
import type { History } from './history.ts'
import { saveHistory } from './history-file.ts'
import type { RunResult } from './result.ts'
import { runScenario } from './run.ts'
import type { Settings } from './scenarios/scenario.ts'
import { targetOf } from './target.ts'

const SEED = 4711
const { system } = await testSystem(t, { gateways: 2, messageServices: 2 })
const target = await targetOf(system)
const directory = await mkdtemp(join(tmpdir(), 'qunxin-load-test-'))
t.teardown(() => rm(directory, { recursive: true, force: true }))
let kept: History | undefined

/** In its smallest form: a second or two of load, tens of clients. */
async function run(t: Test, name: string, settings: Settings): Promise<RunResult & { history: History }> {
  const progress = (line: string) => t.comment(line)
  let history: History | undefined
  const keep = (all: History) => {
    history = all
    kept = all
  }
  const result = await runScenario(
    name,
    { warmUp: 0.5, seconds: 2, ...settings },
    { target, seed: SEED, progress, keep },
  )
  t.same(result.verdict.examples, [])
  t.ok(result.verdict.clean, 'every message is where it belongs')
  const { counts, verdict } = result
  t.ok(counts.acknowledged > 0, `${counts.acknowledged} acknowledged while it was measured`)
  t.same({ refused: counts.refused, unknown: counts.unknown }, { refused: 0, unknown: 0 })
  t.equal(verdict.checked.stored, verdict.checked.acknowledged, 'everything stored was acknowledged')
  t.match(result, { scenario: name, seed: SEED, settings: { seconds: 2, ...settings } })
  t.ok(result.processes.some((process) => process.name === 'message-service-2'))
  return { ...result, history: history as History }
}

/** Both on the same system at the same time: they know nothing of each other's users, and much of it is waiting. */
t.test('scenarios', { jobs: 2 }, async (t) => {
  for (const sdk of [false, true])
    t.test(`scenarios whose clients are ${sdk ? 'the SDK' : 'bytes on a socket'}`, async (t) => {
      t.test('pairs, closed loop: each message is shown to the other of its pair', async (t) => {
        const { verdict, latency } = await run(t, 'pairs', { sdk, pairs: 8, inFlight: 2 })
        t.equal(verdict.checked.shown, verdict.checked.acknowledged)
        t.ok((latency.delivered?.count ?? 0) > 0)
      })

      t.test(
        'pairs, open loop: one after the other as intended, and timed from when it was meant to go out',
        async (t) => {
          const { counts, latency, history } = await run(t, 'pairs', { sdk, pairs: 8, rate: 100, bothWays: true })
          const { intendedAt } = history.attempts
          t.ok(counts.attempted > 0 && intendedAt.length >= counts.attempted)
          for (let i = 1; i < intendedAt.length; i++)
            if (Math.abs(intendedAt.at(i) - intendedAt.at(i - 1) - 10) > 0.001)
              t.fail(`message ${i} was not meant for 10 ms later`)
          const { count = 0, most = 0 } = latency.acknowledged ?? {}
          t.ok(count > 0 && count <= intendedAt.length)
          t.ok(most > 0)
        },
      )

      t.test('group: each message is shown to everybody online but its sender', async (t) => {
        const { verdict } = await run(t, 'group', { sdk, members: 530, online: 20, senders: 3, rate: 20 })
        t.equal(verdict.checked.shown, 19 * verdict.checked.acknowledged)
      })

      t.test('idle: connections have their memory measured and are still there', async (t) => {
        const { figures } = await run(t, 'idle', { sdk, connections: 130, rate: 20 })
        t.match(figures, { connections: 130, kibPerConnection: Number })
      })

      t.test('connect: everybody is bound, and messages go round the new ones too', async (t) => {
        const settings = { sdk, clients: 40, before: 10, atOnce: 7, rate: 200 }
        const { figures, latency, history } = await run(t, 'connect', settings)
        t.ok((figures?.boundPerSecond ?? 0) > 0, `${figures?.boundPerSecond} a second`)
        t.equal(latency.connected?.count, 140, 'those that were there before were timed too')
        const { attempts, clients, conversations } = history
        t.equal(clients.length, 140)
        t.equal(new Set(Array.from({ length: attempts.sender.length }, (_, i) => attempts.conversation.at(i))).size, 70)
        t.equal(conversations.length, 70)
      })

      t.test('storm: everybody is back and has everything', async (t) => {
        const { latency, figures } = await run(t, 'storm', { sdk, clients: 40, rate: 100, calm: 0.5, drops: 2 })
        for (const what of ['back', 'synced']) t.equal(latency[what]?.count, 80, `each was timed at each drop: ${what}`)
        const { backP50Ms = 0, syncedP50Ms = 0, syncedP95Ms = 0, syncedP99Ms = 0 } = figures ?? {}
        t.ok(0 < backP50Ms && backP50Ms <= syncedP50Ms && syncedP50Ms <= syncedP95Ms && syncedP95Ms <= syncedP99Ms)
        const { secondsUntilAllBack: back = 0, secondsUntilEverythingShown: shown = 0 } = figures ?? {}
        t.ok(back > 0 && shown >= back, `all back after ${back} s, everything shown after ${shown} s`)
      })

      t.test('jitter: all of them are cut again and again, and nobody misses anything', async (t) => {
        const { figures, latency } = await run(t, 'jitter', {
          sdk,
          clients: 20,
          rate: 100,
          every: 1.5,
          away: 0.4,
          seconds: 4,
        })
        t.ok((figures?.cuts ?? 0) > 20, `${figures?.cuts} cuts`)
        t.ok((latency.replayed?.count ?? 0) > 0, 'messages were replayed')
      })
    })
})

t.test('pairs of clients that sync by themselves', async (t) => {
  const { settings } = await run(t, 'pairs', { pairs: 4, rate: 100, sync: true })
  t.equal(settings.sdk, true, 'only the SDK does')
})

t.test('mixed, with readers: what they read at the very end counts', async (t) => {
  const { verdict } = await run(t, 'mixed', { reads: true, pairs: 3, groups: 1, rate: 200, warmUp: 0, seconds: 0.3 })
  t.ok(verdict.checked.shown > 0)
})

t.test('a setting that a scenario does not have is refused', async (t) => {
  await t.rejects(runScenario('pairs', { clients: 3 }, { target }), { message: 'pairs has no setting clients' })
  await t.rejects(runScenario('nobody', {}, { target }), {
    message: /There is no scenario "nobody": take one of .*pairs/,
  })
})

async function command(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args])
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk))
  return await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, output }))
  })
}

t.test('the command runs on a system that is up, writes a page and JSON, and ends with 0', async (t) => {
  const out = join(directory, 'out')
  const small = ['--pairs', '2', '--rate', '50', '--seconds', '1', '--warm-up', '0']
  const { code, output } = await command('pairs', '--join', system.runFile, '--out', out, '--seed', '7', ...small)
  t.equal(code, 0, output)
  t.match(output, /pairs, seed 7/)
  t.match(output, /clean: \d+ acknowledged/)
  const files = await readdir(out)
  t.same(files.map((file) => file.split('.').at(-1)).sort(), ['html', 'json'])
  for (const file of files) t.ok(output.includes(join(out, file)), 'it says where they are')
})

t.test('a history with a fault in it ends the command with 1, and the fault is named', async (t) => {
  const good = join(directory, 'good.history')
  await saveHistory(kept as History, good)
  const judged = await command('check', good)
  t.equal(judged.code, 0, judged.output)
  t.match(judged.output, /clean/)

  const bad = join(directory, 'bad.history')
  const state = (kept as History).state()
  const [seqs] = [state.columns.shown?.seq]
  t.ok(seqs && seqs.length > 1)
  ;(seqs as Uint32Array)[1] = 4_711
  await writeFile(bad, serialize(state))
  const { code, output } = await command('check', bad)
  t.equal(code, 1, output)
  t.match(output, /^content: p\d+-\d+ seq 4711, msgId \S+, to client \d+ \(connection 1\): another seq/m)
})

t.test('a command line that means nothing ends with 2 and says why', async (t) => {
  const { code, output } = await command('pairs', '--clients', '3')
  t.equal(code, 2)
  t.match(output, /Unknown option '--clients'/)
})
