import type { GeneratorUse, Moment, ProcessUse } from '../result.ts'
import { MachineUse } from './machine.ts'
import { type NamedProcess, UseSampler } from './use.ts'

const EVERY_MS = 1_000

/** Running totals, of which each second's part is taken. */
export interface Totals {
  acknowledged: number
  delivered: number
  refused: number
}

export interface Measured {
  seconds: number
  timeline: Moment[]
  processes: ProcessUse[]
  generator: GeneratorUse
  /** Cores that everything else on the machine kept busy. */
  coresElsewhere: number
}

export interface Measuring {
  /** Seconds since the measured part began: what an event of a fault is stamped with. */
  elapsed(): number
  /** Ends the measured part; its counts add up to the totals' growth. */
  stop(): Measured
}

/** Begins the measured part of a run: from here on one entry a second of what happened and what the processes used. */
export function startMeasuring(totals: () => Totals, processes: () => readonly NamedProcess[]): Measuring {
  const started = performance.now()
  const elapsed = () => (performance.now() - started) / 1_000
  const sampler = new UseSampler(processes)
  const machine = new MachineUse()
  const timeline: Moment[] = []
  const first = { ...totals() }
  let [before, lastAt] = [first, 0]
  const nextMoment = (): Moment => {
    const at = elapsed()
    const now = { ...totals() }
    const moment = { at: Number(at.toFixed(2)), ...difference(now, before), ...sampler.sample(at - lastAt) }
    before = now
    lastAt = at
    return moment
  }
  const timer = setInterval(() => timeline.push(nextMoment()), EVERY_MS)
  return {
    elapsed,
    stop() {
      clearInterval(timer)
      const short = elapsed() - lastAt < EVERY_MS / 2_000
      const [rest, last] = [nextMoment(), timeline.at(-1)]
      // A few milliseconds are no second of their own: a rate or a share of them says nothing.
      if (short && last !== undefined) Object.assign(last, { at: rest.at, ...sum(last, rest) })
      else timeline.push(rest)
      const delivered = before.delivered - first.delivered
      const uses = sampler.uses(delivered)
      return { seconds: lastAt, timeline, processes: uses, ...machine.since({ seconds: lastAt, delivered, uses }) }
    },
  }
}

function difference(now: Totals, before: Totals): Totals {
  return {
    acknowledged: now.acknowledged - before.acknowledged,
    delivered: now.delivered - before.delivered,
    refused: now.refused - before.refused,
  }
}

function sum(one: Totals, other: Totals): Totals {
  return {
    acknowledged: one.acknowledged + other.acknowledged,
    delivered: one.delivered + other.delivered,
    refused: one.refused + other.refused,
  }
}
