import { type ChildProcess, spawn } from 'node:child_process'
import { Parser, type Result } from 'tap-parser'
import { tiedToUs } from '../child.ts'
import { emptyTally, type Tally } from './tally.ts'

export interface TestFileResult extends Tally {
  file: string
  tookMs: number
  /** Everything the file printed, for the report of a failure. */
  output: string
}

export interface TestFileOptions {
  cwd: string
  env: NodeJS.ProcessEnv
  limitMs?: number
  /** Ends the file; what it started ends with it. */
  signal?: AbortSignal | undefined
}

const LIMIT_MS = 8 * 60_000

/** Runs one test file with Node and reads its TAP. A file that crashes, hangs or tests nothing is a failure of its own. */
export function runTestFile(file: string, options: TestFileOptions): Promise<TestFileResult> {
  const started = performance.now()
  const tally = emptyTally()
  const parser = new Parser()
  parser.on('pass', () => {
    tally.passed += 1
  })
  parser.on('fail', (result: Result) => {
    tally.failed += 1
    tally.failures.push(`${file}: ${result.fullname || result.name}`)
  })
  const onSkip = (result: Result) => {
    tally.skipped += 1
    tally.skips.push(`${file}: ${result.fullname || result.name}`)
  }
  parser.on('skip', onSkip)
  parser.on('todo', onSkip)

  return new Promise((resolve) => {
    const { command, args } = tiedToUs(process.execPath, [file])
    const child = spawn(command, [...args], {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const output: Buffer[] = []
    let late = false
    const end = () => child.kill('SIGTERM')
    options.signal?.addEventListener('abort', end)
    const limitMs = options.limitMs ?? LIMIT_MS
    const timer = setTimeout(() => {
      late = true
      child.kill('SIGTERM')
      setTimeout(() => child.kill('SIGKILL'), 5000).unref()
    }, limitMs)
    child.stdout.on('data', (chunk: Buffer) => {
      output.push(chunk)
      parser.write(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    // What it left running may hold its output open, and would end no run.
    child.once('exit', () => endGroup(child))
    child.once('close', (code, signal) => {
      clearTimeout(timer)
      options.signal?.removeEventListener('abort', end)
      parser.end()
      const fault = faultOf({ late, limitMs, code, signal, tally, plan: parser.results?.ok ?? false })
      if (fault !== undefined) {
        tally.failed += 1
        tally.failures.push(`${file}: ${fault}`)
      }
      resolve({ ...tally, file, tookMs: performance.now() - started, output: Buffer.concat(output).toString() })
    })
  })
}

/** Ends what a file left running. Programs that made groups of their own are ended by whoever started them. */
function endGroup(child: ChildProcess): void {
  try {
    process.kill(-(child.pid as number), 'SIGKILL')
  } catch {
    // nothing is left
  }
}

/** Why a run without a failed assertion still failed, if it did. */
function faultOf(run: {
  late: boolean
  limitMs: number
  code: number | null
  signal: NodeJS.Signals | null
  tally: Tally
  plan: boolean
}): string | undefined {
  if (run.late) return `not done after ${run.limitMs / 1000} s`
  if (run.tally.failed > 0) return undefined
  if (run.signal !== null) return `ended by ${run.signal}`
  if (run.tally.passed + run.tally.skipped === 0) return `tested nothing (exit code ${run.code})`
  if (!run.plan) return 'its output is not a complete test report'
  return run.code === 0 ? undefined : `exit code ${run.code} though no assertion failed`
}
