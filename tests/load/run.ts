import { randomInt } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Seen } from './bounds/seen.ts'
import { check } from './check/check.ts'
import { Delivery } from './check/delivery.ts'
import { readFinalCounts } from './clients/final-counts.ts'
import { Fleet } from './clients/fleet.ts'
import { readBack } from './clients/read-back.ts'
import { Watcher } from './clients/watcher.ts'
import { drawFrom } from './faults/draw.ts'
import { endsByItself, parseFault, startFaults } from './faults/index.ts'
import { History } from './history.ts'
import { hardware, loadAverage } from './measure/hardware.ts'
import { type Measured, startMeasuring } from './measure/timeline.ts'
import type { Bound, Counts, FaultEvent, RunResult } from './result.ts'
import { scenarios } from './scenarios/index.ts'
import { commonSettings, type Load, type Scenario, type Settings } from './scenarios/scenario.ts'
import type { Target } from './target.ts'

const PING_EVERY_MS = 10_000
const LOOK_MS = 250
const TELL_EVERY_MS = 5_000
/** The load's own streams of random numbers lie behind those of the faults. */
const STREAM = 1_000_000

export interface RunOptions {
  target: Target
  /** As on the command line: `kill:message-service:every=5s:count=20`. */
  faults?: readonly string[]
  /** Made up when absent; it is in the result. */
  seed?: number
  /** What must hold beside the verdict and what the scenario asks for. */
  bounds?: readonly ((seen: Seen) => Bound)[]
  progress?(line: string): void
  /** Is told what was measured: from when, of `performance.now()`, and for how long. */
  measured?(beganAt: number, seconds: number): void
  /** Gets everything that happened, before it is judged. */
  keep?(history: History): Promise<void> | void
}

/** @throws TypeError for a name that is none */
export function findScenario(name: string): Scenario {
  const found = scenarios.find((one) => one.name === name)
  if (found) return found
  throw new TypeError(
    `There is no scenario ${JSON.stringify(name)}: take one of ${scenarios.map((one) => one.name).join(', ')}`,
  )
}

/** Its settings and those of every scenario, as they are unless given. @throws TypeError for one that is none of them */
export function settingsOf(scenario: Scenario, given: Settings = {}): Settings {
  const definitions = { ...commonSettings, ...scenario.settings }
  for (const name of Object.keys(given))
    if (!Object.hasOwn(definitions, name)) throw new TypeError(`${scenario.name} has no setting ${name}`)
  const values = Object.entries(definitions).map(([name, { value }]) => [name, given[name] ?? value] as const)
  return Object.fromEntries(values)
}

/**
 * Runs one scenario: everybody connects, a warm-up, the measured part with its faults, then a while in which everything acknowledged must be
 * shown, everybody reads everything, and the checker judges.
 *
 * @throws when the run itself could not be carried through; what the system did wrong is in the result
 */
export async function runScenario(name: string, given: Settings, options: RunOptions): Promise<RunResult> {
  const { target, faults: specs = [], seed = randomInt(2 ** 31), progress = () => {} } = options
  const scenario = findScenario(name)
  const asked = settingsOf(scenario, given)
  // What clients were is part of the result.
  const sdk = needsSdk(scenario, asked, specs)
  const settings: Settings = { ...asked, sdk }
  const seconds = (setting: string) => Number(settings[setting]) * 1_000
  const before = { hardware: hardware(), loadAverage: loadAverage(), startedAt: new Date().toISOString() }
  const history = new History()
  const watcher = new Watcher(history)
  // Only something done to it makes a connection die unnoticed; without, pings would be part of what is measured.
  const pingEveryMs = specs.length > 0 ? PING_EVERY_MS : 0
  const reads = settings.reads === true
  const fleet = new Fleet({ target, history, watcher, pingEveryMs, sdk, reads, progress })
  const telling = setInterval(() => progress(tell(watcher, fleet)), TELL_EVERY_MS)
  let load: Load | undefined
  try {
    const random = drawFrom(seed, STREAM).next
    load = await scenario.prepare({ settings, fleet, history, watcher, target, random, progress })
    load.start()
    await delay(seconds('warmUp'))
    progress(`${fleet.clients.length} clients, measuring`)
    const { measured, counts, events, beganAt } = await measure(
      { load, watcher, target, specs, seed, progress },
      seconds('seconds'),
    )
    options.measured?.(beganAt, measured.seconds)
    await load.stop()
    await settle({ fleet, history, progress }, seconds('settle'))
    clearInterval(telling)
    progress('reading everything back')
    await readBack({ target, history, clients: fleet.clients, readers: Number(settings.readers), progress })
    if (reads) await readFinalCounts({ target, history, clients: fleet.clients, progress })
    fleet.noneEnded()
    await options.keep?.(history)
    const latency = Object.entries(watcher.latencies).map(([what, recorder]) => [what, recorder.percentiles()] as const)
    const seen = { history, faults: events, beganAt, counts: { ...counts, unknown: watcher.counts.unknown } }
    const bounds = [...(load.bounds?.(seen) ?? []), ...(options.bounds ?? []).map((bound) => bound(seen))]
    const figures = load.figures?.()
    return {
      scenario: name,
      settings,
      seed,
      ...before,
      ...measured,
      counts: seen.counts,
      latency: Object.fromEntries(latency),
      faults: events,
      verdict: check(history),
      ...(bounds.length > 0 && { bounds }),
      ...(figures && { figures }),
    }
  } finally {
    clearInterval(telling)
    fleet.close()
    // A run that could not be carried through has not stopped it: nobody is to go on sending for ever.
    await load?.stop()
  }
}

/** Only the SDK asks for what it missed and says what it has read; and what faults are survived with is what people use. */
function needsSdk(scenario: Scenario, { sdk, sync, reads }: Settings, faults: readonly string[]): boolean {
  return scenario.sdkOnly === true || sdk === true || sync === true || reads === true || faults.length > 0
}

interface Parts {
  load: Load
  watcher: Watcher
  target: Target
  specs: readonly string[]
  seed: number
  progress(line: string): void
}

/** The measured part: at least so long, until all faults have been and the scenario has done what it does. */
async function measure(
  { load, watcher, target, specs, seed, progress }: Parts,
  ms: number,
): Promise<{ measured: Measured; counts: Counts; events: FaultEvent[]; beganAt: number }> {
  const events: FaultEvent[] = []
  const before = { ...watcher.counts }
  const measuring = startMeasuring(
    () => ({ ...watcher.counts, refused: watcher.counts.retried + watcher.counts.refused }),
    () => target.processes,
  )
  const beganAt = performance.now()
  watcher.begin()
  const onEvent = (event: FaultEvent) => {
    events.push(event)
    progress(`fault at ${event.at.toFixed(1)} s: ${event.what}`)
  }
  const faults = startFaults({ specs, seed, target, onEvent })
  try {
    await Promise.all([
      delay(ms),
      load.during?.(),
      specs.every((spec) => endsByItself(parseFault(spec))) ? faults.done : undefined,
    ])
  } finally {
    await faults.stop()
  }
  watcher.end()
  const measured = measuring.stop()
  const counts = Object.entries(watcher.counts).map(([what, count]) => [what, count - before[what as keyof Counts]])
  return { measured, counts: Object.fromEntries(counts) as Counts, events, beganAt }
}

/**
 * Waits until every send has its outcome, everybody is back, has been shown everything and has said what it read of it; what is
 * missing then is for the checker.
 */
async function settle(
  { fleet, history, progress }: { fleet: Fleet; history: History; progress(line: string): void },
  withinMs: number,
): Promise<void> {
  // A send ends by itself, however long that takes.
  while (fleet.outstanding > 0) await delay(LOOK_MS)
  const delivery = new Delivery(history)
  const giveUpAt = performance.now() + withinMs
  while (fleet.away.length > 0 || delivery.first() !== undefined || fleet.reading) {
    if (performance.now() > giveUpAt) {
      progress(`not everything was shown within ${withinMs / 1_000} s`)
      return
    }
    await delay(LOOK_MS)
  }
}

function tell({ counts, online }: Watcher, fleet: Fleet): string {
  const { attempted, acknowledged, delivered, retried } = counts
  const parts = [
    `${attempted} sent`,
    `${acknowledged} acknowledged`,
    `${delivered} shown`,
    retried > 0 && `${retried} sent again`,
  ]
  return `${online} of ${fleet.clients.length} online, ${parts.filter(Boolean).join(', ')}`
}
