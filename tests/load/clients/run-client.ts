import type { History } from '../history.ts'
import type { Watcher } from './watcher.ts'

export interface RunClientOptions {
  userId: number
  accessToken: string
  /** Addresses of the gateways; the first connection goes to that of `gateway`, each further one to the next. */
  urls: readonly string[]
  gateway: number
  history: History
  watcher: Watcher
}

export interface SendOptions {
  /** UTF-16 units of text. */
  units?: number
  intendedAt?: number
  /** Called once there is an answer, or none will come any more. */
  settled?: (() => void) | undefined
}

/** One user with one device, as scenarios know it: whatever it does and sees is written down. */
export interface RunClient {
  readonly index: number
  readonly userId: number
  readonly accessToken: string
  /** Sends without a final answer. */
  readonly outstanding: number
  /** It was shown something that it is still about to say it has read. */
  readonly reading: boolean
  /** Why it will not come back. */
  readonly ended: string | undefined
  readonly bound: boolean
  /** Of its newest connection, there or not. */
  readonly boundAt: number
  /** Resolves when frames flow for the first time. */
  readonly ready: Promise<unknown>
  /** Whether it is connected, and has not been all the time since then. */
  boundSince(time: number): boolean
  /** Sends, again and again if need be. */
  send(conversation: number, options?: SendOptions): void
  /** Cuts the connection as a tunnel or a dead battery does. It comes back by itself: after `awayMs`, or as the SDK sees fit. */
  drop(awayMs?: number): void
  /** Once in a while: a connection that did not answer the last time is dead, whatever TCP thinks of it. */
  ping(): void
  close(): void
}

/** How long a message is sent again and again. Longer than any fault of a run: what has no outcome by then counts as unknown. */
export const SEND_TIMEOUT_MS = 120_000
