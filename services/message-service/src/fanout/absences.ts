import type { ConversationId, GroupId, UserId } from '@qunxin/contracts'
import { LRUCache } from 'lru-cache'
import type { Message } from '../domain/message.ts'
import { type Audience, isOfSamePair, nowhere, usersOfItem, withoutThose } from './audience.ts'
import type { Composing } from './compose.ts'
import type { Job, JobItem, MessageFrame } from './job.ts'

/** Conversations whose told messages are remembered; of the others a repeat is told of once more. */
const REMEMBERED = 50_000

export interface AbsencesOptions {
  /** Of larger groups nobody is told of. */
  groupLimit: number
  report(message: Message, users: readonly UserId[]): void
  /** The members of its group could not be asked for: who missed it is to be found out later. */
  unknown(message: Message): void
}

/** What a job went by: where the users were whom it names, and the members of each group that could be asked for. */
export interface Reach {
  routes: ReadonlyMap<UserId, ReadonlySet<string>>
  audiences: ReadonlyMap<GroupId, Audience>
  behind?: Composing['behind']
}

interface Told {
  conversation: ConversationId
  first: number
  last: number
}

/** Finds the receivers of messages that no gateway holds. Whose route is not known for certain has one, so they are not among them. */
export class Absences {
  readonly #options: AbsencesOptions
  /** The newest unbroken run of messages that were looked at here, of each conversation. */
  readonly #told = new LRUCache<ConversationId, Told>({ max: REMEMBERED })
  /** Of the message looked at last. */
  #last: Told = { conversation: '', first: 0, last: 0 }

  constructor(options: AbsencesOptions) {
    this.#options = options
  }

  /** Called with each job once it is out. */
  look(job: Job, { routes, audiences, behind }: Reach): void {
    let before: JobItem | undefined
    let absentOfPair: readonly UserId[] = []
    for (const item of job) {
      const { frame } = item
      if (!frame || frame.message.change) continue
      const { message } = frame
      const { group, seq } = message
      if (group === undefined) {
        if (!isOfSamePair(before, item)) absentOfPair = nowhere(usersOfItem(item), routes)
        before = item
        if (this.#isNew(frame) && absentOfPair.length > 0) this.#report(message, absentOfPair)
        continue
      }
      const audience = audiences.get(group)
      if (!audience) this.#options.unknown(message)
      else if (this.#isNew(frame) && audience.users.size <= this.#options.groupLimit) {
        const later = behind?.(group, seq)
        this.#report(message, later ? withoutThose(audience.nowhere, later) : audience.nowhere)
      }
    }
  }

  /** Nobody has confirmed the message for these users, members of its group as it is now. */
  unreached(message: Message, users: readonly UserId[], members: ReadonlySet<UserId> | undefined): void {
    if ((members?.size ?? 0) <= this.#options.groupLimit) this.#report(message, users)
  }

  #report(message: Message, users: readonly UserId[]): void {
    const receivers = users.includes(message.from) ? users.filter((user) => user !== message.from) : users
    if (receivers.length > 0) this.#options.report(message, receivers)
  }

  /** False for a repeat of what was looked at here; the first fan-out of any other may have died with another process. */
  #isNew({ message: { conversation, seq }, again }: MessageFrame): boolean {
    // Those of one conversation mostly stand together.
    const told = this.#last.conversation === conversation ? this.#last : this.#told.get(conversation)
    if (told && again && seq >= told.first && seq <= told.last) return false
    if (told && seq === told.last + 1) {
      told.last = seq
      this.#last = told
    } else {
      this.#last = { conversation, first: seq, last: seq }
      this.#told.set(conversation, this.#last)
    }
    return true
  }
}
