import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { findOnPath } from './find-on-path.ts'

export interface ChildOptions {
  name: string
  command: string
  args: readonly string[]
  env?: NodeJS.ProcessEnv
  cwd?: string
  /** Everything the process prints goes here. */
  logFile: string
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

export interface Child {
  name: string
  pid: number
  logFile: string
  /** Settles when the process has ended. */
  exited: Promise<Exit>
  readonly running: boolean
  /** Sends a signal to the process as long as it lives. */
  signal(signal: NodeJS.Signals): void
  /** Asks by SIGTERM, insists by SIGKILL after `graceMs`; resolves when the process is gone. */
  stop(graceMs?: number): Promise<Exit>
}

/**
 * Starts a program in a process group of its own, so that Ctrl-C in a terminal reaches only us and the order of stopping
 * stays ours. Where util-linux has `setpriv`, the kernel ends the child when we die without a chance to do it.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, args } = tiedToUs(options.command, options.args)
  const log = openSync(options.logFile, 'a')
  const child = spawn(command, [...args], {
    cwd: options.cwd,
    env: options.env ?? process.env,
    stdio: ['ignore', log, log],
    detached: true,
  })
  closeSync(log)
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', reject)
  })
  return watched(options, child)
}

/** The command by which the kernel ends a program when we die, where there is such a command. */
export function tiedToUs(command: string, args: readonly string[]): { command: string; args: readonly string[] } {
  const setpriv = process.platform === 'linux' ? findOnPath('setpriv') : undefined
  if (setpriv === undefined) return { command, args }
  return { command: setpriv, args: ['--pdeathsig', 'TERM', '--', command, ...args] }
}

function watched(options: ChildOptions, child: ChildProcess): Child {
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const running = () => child.exitCode === null && child.signalCode === null
  return {
    name: options.name,
    pid: child.pid as number,
    logFile: options.logFile,
    exited,
    get running() {
      return running()
    },
    signal(signal) {
      if (running()) child.kill(signal)
    },
    async stop(graceMs = 10_000) {
      if (running()) {
        // A stopped process (SIGSTOP) would never see the SIGTERM.
        child.kill('SIGCONT')
        child.kill('SIGTERM')
        const insist = setTimeout(() => child.kill('SIGKILL'), graceMs)
        await exited
        clearTimeout(insist)
      }
      return exited
    },
  }
}

/** The last lines a process printed, for a text that says why it ended. */
export function lastLines(logFile: string, count = 20): string {
  try {
    return readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-count).join('\n')
  } catch {
    return ''
  }
}
