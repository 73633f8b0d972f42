import type { ConversationId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import { Slots } from '../partition/slots.ts'
import type { MessageLog } from '../store/message-log.ts'
import { COUNTED_MESSAGES, changedCounts } from './counts.ts'
import type { GroupState } from './group-state.ts'
import type { Place } from './place.ts'
import { countsState } from './states.ts'

/** Between two pushes of one group's counts (protocol §5). */
const COUNTS_EVERY_MS = 1_000
/** Commits go by the same connections. */
const READS_AT_ONCE = 4

export interface CountPushesOptions {
  log: Pick<MessageLog, 'authors'>
  place: Place
  logger: Logger
  now(): number
}

/** Tells the authors of group messages who has had and read them, at most once a second for each group. */
export class CountPushes {
  readonly #options: CountPushesOptions
  readonly #slots = new Slots(READS_AT_ONCE)
  readonly #pending = new Map<ConversationId, GroupState>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: CountPushesOptions) {
    this.#options = options
  }

  /** Its members have moved, or gone. */
  add(state: GroupState): void {
    if (state.moved.size > 0 || state.recount) this.#pending.set(state.conversation, state)
  }

  /** Tells of the groups whose time has come, or of all; resolves when it is out. */
  async push({ all = false } = {}): Promise<void> {
    const { now } = this.#options
    const due = [...this.#pending.values()].filter(({ nextCountsAt }) => all || nextCountsAt <= now())
    for (const { conversation } of due) this.#pending.delete(conversation)
    await Promise.all(due.map((state) => this.#tell(state)))
    this.#schedule()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  async #tell(state: GroupState): Promise<void> {
    const { place, logger, now } = this.#options
    const { conversation, tenure } = state
    state.nextCountsAt = now() + COUNTS_EVERY_MS
    try {
      await this.#readAuthors(state)
    } catch (error) {
      logger.warn({ conversation, reason: String(error) }, 'the authors of messages could not be read, trying again')
      this.#pending.set(conversation, state)
      return
    }
    if (tenure === undefined || place.tenure(conversation) !== tenure) return
    const counts = changedCounts(state)
    state.moved = new Map()
    state.recount = false
    const { version } = state.members
    await place.tell(counts.map((one) => countsState(conversation, one, version)))
  }

  /** Reads who wrote what came since the last time, also what comes meanwhile: whoever moves up to it is told of now. */
  async #readAuthors(state: GroupState): Promise<void> {
    let upTo: number
    do {
      upTo = state.newest
      await this.#readAuthorsUpTo(state)
    } while (state.newest > upTo)
  }

  async #readAuthorsUpTo(state: GroupState): Promise<void> {
    const oldest = Math.max(1, state.newest - COUNTED_MESSAGES + 1)
    const { firstSeq, from } = state.authors
    const next = firstSeq + from.length
    const kept = next < oldest ? [] : from.slice(Math.max(0, oldest - firstSeq))
    const fromSeq = oldest + kept.length
    if (fromSeq > state.newest) return
    const { log } = this.#options
    const read = await this.#slots.use(() => log.authors(state.conversation, fromSeq, state.newest))
    state.authors = { firstSeq: oldest, from: [...kept, ...read] }
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#pending.size === 0) return
    const next = Math.min(...[...this.#pending.values()].map(({ nextCountsAt }) => nextCountsAt))
    this.#timer = setTimeout(() => void this.push(), Math.max(10, next - this.#options.now())).unref()
  }
}
