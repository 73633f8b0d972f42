import { type ConversationId, groupOf } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import { LRUCache } from 'lru-cache'
import { COUNTED_MEMBERS, floorOf, isSameFloor } from '../domain/floors.ts'
import type { Members } from '../membership/members.ts'
import type { FloorDocument, Floors } from '../store/floors.ts'
import type { CountPushes } from './count-pushes.ts'
import type { GroupState } from './group-state.ts'
import type { GroupStates } from './group-states.ts'
import type { Place } from './place.ts'

const WRITE_EVERY_MS = 200
/** Groups known to have no floor … */
const MOST_LARGE = 10_000
/** … for so long: it may have shrunk and grown again under another owner. */
const LARGE_FOR_MS = 60_000

export interface FloorKeeperOptions {
  floors: Floors
  states: GroupStates
  counts: CountPushes
  place: Place
  membersNow(conversation: ConversationId): Promise<Members | undefined>
  logger: Logger
}

/** Keeps the floors of groups in line with the cursors of their members, and of large groups none. */
export class FloorKeeper {
  readonly #options: FloorKeeperOptions
  readonly #large = new LRUCache<ConversationId, true>({ max: MOST_LARGE, ttl: LARGE_FOR_MS })
  #changed = new Set<ConversationId>()
  #timer: NodeJS.Timeout | undefined

  constructor(options: FloorKeeperOptions) {
    this.#options = options
  }

  /** Writes what these groups' cursors have come to, as far as it is another floor. */
  async write(states: Iterable<GroupState>): Promise<void> {
    const raised: [GroupState, FloorDocument][] = []
    for (const state of states) {
      const { version } = state.members
      const floor = floorOf(state.entries())
      if (state.floor && state.floor.version === version && isSameFloor(state.floor, floor)) continue
      raised.push([state, { _id: state.conversation, version, ...floor }])
    }
    await this.#options.floors.raise(raised.map(([, floor]) => floor))
    for (const [state, floor] of raised) state.floor = floor
  }

  /** These groups are too large to have one. */
  async remove(conversations: readonly ConversationId[]): Promise<void> {
    const unknown = conversations.filter((conversation) => !this.#large.has(conversation))
    if (unknown.length === 0) return
    await this.#options.floors.remove(unknown)
    for (const conversation of unknown) this.#large.set(conversation, true)
  }

  /** Members came or went. */
  changed(conversation: ConversationId): void {
    this.#changed.add(conversation)
    this.#timer ??= setTimeout(() => void this.#follow(), WRITE_EVERY_MS).unref()
  }

  /** Goes after the changes so far; resolves when they are written or wait on. */
  async settle(): Promise<void> {
    if (this.#changed.size > 0) await this.#follow()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  async #follow(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const changed = [...this.#changed]
    this.#changed = new Set()
    const { place, states, counts, membersNow, logger } = this.#options
    const follow = async (conversation: ConversationId) => {
      const tenure = place.tenure(conversation)
      // Whoever owns it now opens it anew.
      if (tenure === undefined) return
      const members = await membersNow(conversation)
      if (!members) throw new Error(`members of ${groupOf(conversation)} are not known`)
      if (members.gone) return
      if (members.users.size > COUNTED_MEMBERS) return this.remove([conversation])
      this.#large.delete(conversation)
      const state = await states.open(conversation, members, tenure)
      await this.write([state])
      counts.add(state)
      void counts.push()
    }
    const done = await Promise.allSettled(changed.map(follow))
    for (const [index, { status }] of done.entries()) {
      if (status === 'fulfilled') continue
      logger.warn({ conversation: changed[index] }, 'a floor could not be written, trying again')
      this.changed(changed[index] ?? '')
    }
  }
}
