import type { UserId } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'

/**
 * Tells other back-end services what happened to messages, after the fact and at least once. All of them only take note: none
 * waits, and none throws.
 */
export interface MessageEvents {
  /** These are in the log, the oldest of them not before `since` (ms by our clock; now, when left out). May be called twice for one. */
  stored(messages: readonly Message[], since?: number): void
  /** What we stored from then on (ms by our clock) may not all be known to us: it is read back from the log. */
  doubted(since: number): void
  /** These users had no connection that confirmed the message; `muted` are those of them who muted the conversation. */
  offline(message: Message, users: readonly UserId[], muted?: readonly UserId[]): void
}

/** Who had missed a message: what `offline` is told. */
export interface Missed {
  message: Message
  users: readonly UserId[]
  muted?: readonly UserId[]
}

/** Who missed messages whose owner died before it told: asked for what is read back from the log. */
export type MissedBy = (messages: readonly Message[]) => Promise<readonly Missed[]>

/** Nobody listens: for tests of what stands before the events. */
export const noEvents: MessageEvents = { stored() {}, doubted() {}, offline() {} }
