import { type ConversationId, groupOf, type Receipt } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Message } from '../domain/message.ts'
import type { Routes } from '../fanout/routes.ts'
import type { Members } from '../membership/members.ts'
import type { Cursors } from '../store/cursors.ts'
import type { Floors } from '../store/floors.ts'
import type { MessageLog } from '../store/message-log.ts'
import { CountPushes } from './count-pushes.ts'
import { FloorKeeper } from './floor-keeper.ts'
import { Gathering } from './gathering.ts'
import { GroupStates } from './group-states.ts'
import { flushGroups } from './groups.ts'
import { MembersInTime } from './members-in-time.ts'
import { flushPersonal } from './personal.ts'
import type { Place } from './place.ts'
import { TakeAlong } from './take-along.ts'
import { Told } from './told.ts'

export interface ReceiptsOptions {
  log: Pick<MessageLog, 'heads' | 'authors'>
  cursors: Cursors
  floors: Floors
  place: Place
  routes: Pick<Routes, 'nodesOf'>
  /** The newest seq of a conversation, where it is in memory. */
  newestSeq(conversation: ConversationId): number | undefined
  /** The members of a group's conversation now; undefined when group-service could not be asked. */
  membersNow(conversation: ConversationId): Promise<Members | undefined>
  /** What is known of them, however old. */
  lastMembers(conversation: ConversationId): Members | undefined
  logger: Logger
  /** Monotonic ms. */
  now?(): number
}

/**
 * How far everybody is, at the owner of a partition (ADR 0017). What comes within 200 ms is stored together, then told, then
 * answered. Personal conversations never wait for what groups need.
 */
export class Receipts {
  readonly #personal: Gathering
  readonly #groups: Gathering
  readonly #states: GroupStates
  readonly #counts: CountPushes
  readonly #floors: FloorKeeper
  readonly #takeAlong: TakeAlong

  constructor(options: ReceiptsOptions) {
    const { log, cursors, place, routes, membersNow, lastMembers, logger } = options
    const now = options.now ?? (() => performance.now())
    const newest = { log, known: options.newestSeq }
    const told = new Told()
    const states = new GroupStates(cursors)
    const counts = new CountPushes({ log, place, logger, now })
    const floors = new FloorKeeper({ floors: options.floors, states, counts, place, membersNow, logger })
    const common = { cursors, newest, place, routes, told }
    this.#states = states
    this.#counts = counts
    this.#floors = floors
    this.#takeAlong = new TakeAlong({ cursors, states, floors, place, lastMembers, logger, now })
    this.#personal = new Gathering({ flush: (waiting) => flushPersonal(common, waiting), logger })
    const ofGroups = { ...common, states, counts, floors, members: new MembersInTime({ membersNow, lastMembers }) }
    this.#groups = new Gathering({ flush: (waiting) => flushGroups(ofGroups, waiting), logger })
  }

  /**
   * Resolves when what counts of them is stored and told; `node` is the gateway they come from.
   *
   * @throws when they are another owner's to tell by now, or there is no room: whoever sent them sends them again
   */
  async take(receipts: readonly Receipt[], node?: string): Promise<void> {
    const [groups, personal] = [[], []] as [Receipt[], Receipt[]]
    for (const receipt of receipts) {
      if (Math.max(receipt.delivered ?? 0, receipt.read ?? 0) < 1) continue
      if (groupOf(receipt.conversation) === undefined) personal.push(receipt)
      else groups.push(receipt)
    }
    await Promise.all([this.#personal.take(personal, node), this.#groups.take(groups, node)])
  }

  /** These are in the log, and may take their senders' cursors along. */
  stored(messages: readonly Pick<Message, 'conversation' | 'from' | 'seq'>[]): void {
    this.#takeAlong.stored(messages)
  }

  /** Members came, with their cursors stored at `joinedSeq`, or went. */
  membersChanged(
    conversation: ConversationId,
    { added, joinedSeq }: { added: readonly string[]; joinedSeq: number },
  ): void {
    if (joinedSeq === 0) return
    this.#states.joined(conversation, added, joinedSeq)
    this.#floors.changed(conversation)
  }

  /** Writes and tells whatever waits, as far as it can be; resolves when that is done. */
  async flush(): Promise<void> {
    await Promise.all([this.#personal.flush(), this.#groups.flush(), this.#floors.settle()])
    await Promise.all([this.#takeAlong.flush({ all: true }), this.#counts.push({ all: true })])
  }

  /** Ends the timers. */
  stop(): void {
    for (const part of [this.#counts, this.#floors, this.#takeAlong]) part.stop()
  }
}
