/** `pnpm load <scenario>`; `--help` lists everything. */
import { randomInt } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { SetupError } from '@qunxin/devstack'
import { check } from './check/check.ts'
import { Links, parseFault } from './faults/index.ts'
import type { History } from './history.ts'
import { loadHistory, saveHistory } from './history-file.ts'
import { profiledInto, profilesText, type Span, spanOf } from './measure/profile.ts'
import { helpText, type LoadOptions, readOptions, UsageError } from './options.ts'
import { performanceCommand } from './performance/command.ts'
import { saveRun } from './report/save.ts'
import { runText } from './report/text.ts'
import { passed } from './report/violations.ts'
import { runScenario } from './run.ts'
import { tableCommand } from './table.ts'
import { openTarget, type Target } from './target.ts'

const WRONG_RUN = 1
const WRONG_COMMAND_LINE = 2
const NOT_CARRIED_THROUGH = 3
const INTERRUPTED = 130

const say = (text: string) => process.stdout.write(text.endsWith('\n') ? text : `${text}\n`)
const progress = (line: string) => process.stderr.write(`· ${line}\n`)
const [command, ...rest] = process.argv.slice(2)
let target: Target | undefined

/** What was started, or is being started, is stopped; a second signal does not wait for that. */
const starting = new AbortController()
let asked = false
function interrupted(): void {
  if (asked) process.exit(INTERRUPTED)
  asked = true
  progress('stopping')
  starting.abort()
  void target?.stop().finally(() => process.exit(INTERRUPTED))
}
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, interrupted)
// Whoever started us was killed.
process.once('disconnect', interrupted)
process.channel?.unref()

const holds = (held: Target | undefined) => {
  target = held
}
process.exitCode = await act()

async function act(): Promise<number> {
  try {
    if (command === 'table') return await tableCommand(rest, { say, signal: starting.signal, holds })
    if (command === 'performance') return await performanceCommand(rest, { say, signal: starting.signal, holds })
    if (command === 'check') return await checkAgain(rest)
    const options = readOptions(process.argv.slice(2))
    if (options) return await load(options)
    say(helpText())
    return 0
  } catch (error) {
    if (asked) return INTERRUPTED
    const ofTables = command === 'table' || command === 'performance'
    const wrongUse = error instanceof UsageError || (ofTables && error instanceof TypeError)
    const told = wrongUse || error instanceof SetupError
    process.stderr.write(`\n${told ? error.message : (error as Error).stack}\n`)
    return wrongUse ? WRONG_COMMAND_LINE : NOT_CARRIED_THROUGH
  }
}

async function load(options: LoadOptions): Promise<number> {
  const { scenario, settings, faults, seed = randomInt(2 ** 31), out, ...system } = options
  progress(`${scenario.name}, seed ${seed}`)
  const links = new Links(faults.map(parseFault), seed)
  const name = `${scenario.name}-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  await mkdir(out, { recursive: true })
  const profiles = options.profile ? join(out, `${name}-profiles`) : undefined
  let span: Span | undefined
  const measured = (beganAt: number, seconds: number) => {
    span = spanOf(beganAt, seconds)
  }
  const serviceEnv = profiles === undefined ? {} : profiledInto(profiles)
  target = await openTarget({ ...system, links, serviceEnv, progress, signal: starting.signal })
  const nameOfPid = new Map(target.processes.map((process) => [process.pid, process.name]))
  let failed: boolean
  try {
    const kept = join(out, `${name}.history`)
    const keep = options.keepHistory ? (history: History) => saveHistory(history, kept) : () => {}
    const run = await runScenario(scenario.name, settings, { target, faults, seed, progress, keep, measured })
    const again = options.seed === undefined ? [`--seed=${seed}`] : []
    const result = { ...run, command: ['pnpm load', ...process.argv.slice(2), ...again].join(' ') }
    say(runText(result))
    for (const path of await saveRun(result, out, name)) say(path)
    if (options.keepHistory) say(kept)
    failed = !passed(result)
  } finally {
    await target.stop()
  }
  // Processes leave them when they end.
  if (profiles !== undefined && span) say(`${profiles}\n\n${await profilesText(profiles, { span, nameOfPid })}`)
  return failed ? WRONG_RUN : 0
}

async function checkAgain([path, ...more]: readonly string[]): Promise<number> {
  if (path === undefined || more.length > 0) throw new UsageError('check takes one file, kept by --keep-history.')
  const history = await loadHistory(path).catch((error: Error) => {
    throw new UsageError(error.message)
  })
  const { clean, checked, violations, examples } = check(history)
  for (const example of examples) say(example)
  const found = Object.entries(violations).filter(([, count]) => count > 0)
  const looked = `${checked.acknowledged} acknowledged, ${checked.stored} stored and ${checked.shown} shown messages`
  say(`${looked}: ${clean ? 'clean' : found.map(([kind, count]) => `${count} ${kind}`).join(', ')}`)
  return clean ? 0 : WRONG_RUN
}
