import type { Seen } from '../bounds/seen.ts'
import type { Fleet } from '../clients/fleet.ts'
import type { Watcher } from '../clients/watcher.ts'
import type { History } from '../history.ts'
import type { Bound } from '../result.ts'
import type { Target } from '../target.ts'

/** What can be set on the command line, with what it is when it is not. */
export type SettingDefinitions = Record<string, { value: number | boolean; about: string }>
export type Settings = Record<string, number | boolean>

export type ValuesOf<D extends SettingDefinitions> = {
  [K in keyof D]: D[K]['value'] extends boolean ? boolean : number
}

/** Of every scenario. */
export const commonSettings = {
  seconds: { value: 15, about: 'how long is measured; faults may make it longer' },
  warmUp: { value: 3, about: 'seconds of load before that' },
  size: { value: 120, about: 'UTF-16 units of text in a message' },
  settle: { value: 60, about: 'seconds within which everything acknowledged must have been shown after the end' },
  readers: {
    value: 10,
    about: 'members of a conversation who read all of it at the end, the others its newest page; 0: all',
  },
  reads: {
    value: false,
    about: 'clients say what they have read; cursors, unread and receipts are checked at the end',
  },
  sdk: {
    value: false,
    about:
      'clients are the SDK, as they are under faults, with --sync and with --reads; else bytes on a socket, for far less processor time',
  },
  sync: { value: false, about: 'clients that ask for what they missed by themselves; else they know only the seeds' },
} as const satisfies SettingDefinitions

export interface Context<S> {
  settings: S
  fleet: Fleet
  history: History
  watcher: Watcher
  target: Target
  /** From 0 up to 1, drawn from the run's seed. */
  random(): number
  progress(line: string): void
}

/** A scenario that is ready: everybody connected, nobody sending yet. */
export interface Load {
  start(): void
  /** What happens in the measured part beside the load; that part lasts until it is over. */
  during?(): Promise<void>
  /** Sends no more; resolves when nothing new will be sent. */
  stop(): Promise<void>
  /** What had to hold beside the verdict. */
  bounds?(seen: Seen): Bound[]
  /** What only this scenario has, for the result. */
  figures?(): Record<string, number>
}

export interface Scenario {
  name: string
  about: string
  settings: SettingDefinitions
  /** What faults are survived with: its clients are the SDK always. */
  sdkOnly?: boolean
  prepare(context: Context<Settings>): Promise<Load>
}

/** A scenario knows its own settings by name; whoever runs one need not. */
export function scenario<D extends SettingDefinitions>(definition: {
  name: string
  about: string
  settings: D
  sdkOnly?: boolean
  prepare(context: Context<ValuesOf<D & typeof commonSettings>>): Promise<Load>
}): Scenario {
  return definition as unknown as Scenario
}
