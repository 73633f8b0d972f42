import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '@qunxin/runtime'
import type { Message, MessageKey } from '../domain/message.ts'
import { type Appended, type MessageLog, OutcomeUnknown } from '../store/message-log.ts'

const RETRY_MS = 200
/** Between a write that came to nothing and the next one, the longer the more of them in a row. */
const PAUSE_MS = { first: 20, longest: 1_000 }

/** What became of messages that were to be written together. */
export interface Written {
  isStored(index: number): boolean
  /** All of them are. */
  all?: true
  /** The first message whose key was taken. */
  stoppedAt?: number
  /** What is in the log under the msgIds of the message the write stopped at and those behind it. */
  originals?: ReadonlyMap<number, Message>
  /** The message it stopped at was refused for another reason than its keys. */
  fault?: true
  /** Read back after an unknown outcome: the tails may have moved. */
  unsure?: true
}

const ALL_STORED: Written = { isStored: () => true, all: true }

/** Writes to the log and does not come back before it is known what is stored. */
export class LogWriter {
  readonly #log: MessageLog
  readonly #logger: Logger
  readonly #signal: AbortSignal
  #failures = 0

  /** When `signal` is aborted, the writer gives up on a log that does not answer. */
  constructor(options: { log: MessageLog; logger: Logger; signal: AbortSignal }) {
    this.#log = options.log
    this.#logger = options.logger
    this.#signal = options.signal
  }

  async write(messages: readonly Message[]): Promise<Written> {
    if (messages.length === 0) return ALL_STORED
    let appended: Appended
    try {
      appended = await this.#log.append(messages)
    } catch (error) {
      if (!(error instanceof OutcomeUnknown)) throw error
      const cause = String(error.cause ?? '')
      this.#logger.warn({ reason: error.message, cause }, 'a commit was not confirmed, reading back')
      await this.#pause()
      const stored = await this.#until(() => this.#log.stored(messages))
      return { isStored: (index) => stored[index] === true, unsure: true }
    }
    const { stored, stoppedBy } = appended
    const isStored = (index: number) => index < stored
    if (stoppedBy === 'fault') {
      this.#logger.error({ conversation: messages[stored]?.conversation }, 'the database refused a message')
      await this.#pause()
      return { isStored, stoppedAt: stored, fault: true }
    }
    this.#failures = 0
    if (stoppedBy === undefined) return ALL_STORED
    if (stoppedBy === 'seq') return { isStored, stoppedAt: stored }
    // All behind it are looked up with it: after an outage clients resend by the hundred, and each alone would cost a write.
    const found = await this.originals(messages.slice(stored))
    const originals = new Map<number, Message>()
    for (const [index, original] of found.entries()) if (original) originals.set(stored + index, original)
    return { isStored, stoppedAt: stored, originals }
  }

  async originals(keys: readonly MessageKey[]): Promise<(Message | undefined)[]> {
    if (keys.length === 0) return []
    return this.#until(() => this.#log.originals(keys))
  }

  /** Resolves when what these recalls and edits say is done, with each of them as it stands then. */
  async applyChanges(changes: readonly Message[]): Promise<Message[]> {
    return this.#until(() => this.#log.applyChanges(changes))
  }

  async #pause(): Promise<void> {
    this.#signal.throwIfAborted()
    await delay(Math.min(PAUSE_MS.first * 2 ** this.#failures, PAUSE_MS.longest))
    this.#failures += 1
  }

  async #until<T>(attempt: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await attempt()
      } catch (error) {
        this.#signal.throwIfAborted()
        this.#logger.warn({ reason: String(error) }, 'the log does not answer, trying again')
        await delay(RETRY_MS)
      }
    }
  }
}
