import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { figure } from '../report/figures.ts'

const MOST = 25
const REPOSITORY = pathToFileURL(join(import.meta.dirname, '..', '..', '..')).href

/** What `node --cpu-prof` writes: times in microseconds of the machine's monotonic clock. */
export interface CpuProfile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[]
  startTime: number
  /** The node that was running at each sample, and how long after the sample before. */
  samples: number[]
  timeDeltas: number[]
}

/** Of the machine's monotonic clock, in microseconds. */
export interface Span {
  from: number
  until: number
}

export interface Busiest {
  /** Of the span. */
  busyMicros: number
  /** Microseconds by function, the most first. */
  functions: [name: string, micros: number][]
}

/** Settings of services that are to leave a profile in that directory when they end. */
export function profiledInto(directory: string): Record<string, string> {
  return { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${JSON.stringify(resolve(directory))}` }
}

/** A span of this process's `performance.now()`, as every process of the machine knows it. */
export function spanOf(beganAt: number, seconds: number): Span {
  const zero = Number(process.hrtime.bigint() / 1_000n) - performance.now() * 1_000
  const from = zero + beganAt * 1_000
  return { from, until: from + seconds * 1_000_000 }
}

/** The functions in which a process spent its time itself, not in what they called. */
export function busiestOf({ nodes, startTime, samples, timeDeltas }: CpuProfile, { from, until }: Span): Busiest {
  const names = new Map(nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  const micros = new Map<string, number>()
  let at = startTime
  for (const [i, node] of samples.entries()) {
    at += timeDeltas[i] ?? 0
    const name = names.get(node) ?? ''
    if (at < from || at >= until || name === '(idle)') continue
    // Whatever a sample found lasts until the next one.
    micros.set(name, (micros.get(name) ?? 0) + (timeDeltas[i + 1] ?? 0))
  }
  const functions = [...micros].toSorted(([, one], [, other]) => other - one)
  return { busyMicros: functions.reduce((sum, [, spent]) => sum + spent, 0), functions }
}

/** What the profiles in a directory say of that span, for each process; those are known by their pids. */
export async function profilesText(
  directory: string,
  { span, nameOfPid }: { span: Span; nameOfPid: ReadonlyMap<number, string> },
): Promise<string> {
  const texts = (await readdir(directory)).map(async (file) => {
    const [, pid = '', thread = ''] = /\.(\d+)\.(\d+)\.\d+\.cpuprofile$/.exec(file) ?? []
    const name = `${nameOfPid.get(Number(pid)) ?? `process ${pid}`}${thread === '0' ? '' : `, thread ${thread}`}`
    const profile = JSON.parse(await readFile(join(directory, file), 'utf8')) as CpuProfile
    return textOf(name, busiestOf(profile, span), span)
  })
  return (await Promise.all(texts)).toSorted().join('\n')
}

function textOf(name: string, { busyMicros, functions }: Busiest, { from, until }: Span): string {
  const lines = functions
    .slice(0, MOST)
    .map(([what, micros]) => `  ${figure((100 * micros) / busyMicros).padStart(5)} %  ${what}`)
  const share = figure((100 * busyMicros) / (until - from))
  return `${[`${name}: busy ${share} % of ${figure((until - from) / 1_000_000)} s, of which in`, ...lines].join('\n')}\n`
}

/** `flush services/gateway/src/socket/writer.ts:12` */
function nameOf({ functionName, url, lineNumber }: CpuProfile['nodes'][number]['callFrame']): string {
  const name = functionName === '' ? '(anonymous)' : functionName
  if (url === '') return name
  const place = url.replace(`${REPOSITORY}/`, '').replace(/^.*node_modules\//, '')
  return `${name} ${place}:${lineNumber + 1}`
}
