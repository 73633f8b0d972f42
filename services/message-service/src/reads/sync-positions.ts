import {
  type ConversationId,
  type MessageState,
  nameFor,
  type SyncPosition,
  shownTo,
  type UserId,
} from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import { toMsgModel } from '../domain/present.ts'
import { isInRanges, type SeqRange } from '../domain/visibility.ts'
import { jsonBytes } from './fitting.ts'

/** One position of a sync. */
export interface Position {
  conversation: ConversationId
  seq: number
  /** The newest seq; undefined when the user may not read the conversation. */
  head: number | undefined
  /** What may be seen at all … */
  visible: readonly SeqRange[]
  /** … and what of it stands behind the position. */
  behind: readonly SeqRange[]
}

export interface Wanted {
  conversation: ConversationId
  seq: number
}

/** The first entries behind the positions, in the order asked: seqs have no hole, so it is known which there are. */
export function wantedBy(positions: readonly Position[], most: number): Wanted[] {
  const wanted: Wanted[] = []
  for (const { conversation, behind } of positions)
    for (const { fromSeq, toSeq = 0 } of behind)
      for (let seq = fromSeq; seq <= toSeq && wanted.length < most; seq++) wanted.push({ conversation, seq })
  return wanted
}

/** Entries that were asked for, found or not. */
export class ReadEntries {
  readonly #asked = new Map<string, Message | undefined>()

  add(wanted: readonly Wanted[], found: readonly Message[]): void {
    for (const one of wanted) this.#asked.set(keyOf(one), undefined)
    for (const message of found) this.#asked.set(keyOf(message), message)
  }

  /** Undefined when it was not asked for, null when it is stored no more. */
  get(wanted: Wanted): Message | null | undefined {
    const key = keyOf(wanted)
    return this.#asked.has(key) ? (this.#asked.get(key) ?? null) : undefined
  }
}

const keyOf = ({ conversation, seq }: Wanted) => `${conversation}:${seq}`

export interface AnswerOptions {
  user: UserId
  entries: ReadEntries
  stateOf(message: Message): MessageState
  /** What the messages of all positions may take as JSON. */
  bytes: number
}

/** One definite answer per position; behind the first message without room there is only said that there is more. */
export function answerPositions(positions: readonly Position[], options: AnswerOptions): SyncPosition[] {
  const { user, entries, stateOf } = options
  let left = options.bytes
  let given = 0
  let isFull = false
  return positions.map((position): SyncPosition => {
    const { conversation, seq, head, visible, behind } = position
    const named = nameFor(conversation, user)
    if (head === undefined) return { ...named, status: 'reset', lastSeq: 0, reason: 'notAMember' }
    if (seq > head) return { ...named, status: 'reset', lastSeq: head, reason: 'ahead' }
    const messages: SyncPosition & { status: 'messages' } = {
      ...named,
      status: 'messages',
      messages: [],
      hasMore: false,
    }
    for (const wanted of seqsOf(position)) {
      const entry = entries.get(wanted)
      // What is removed is the oldest: it can only be the first that is missing.
      if (entry === null && messages.messages.length === 0)
        return { ...named, status: 'reset', lastSeq: head, reason: 'expired' }
      const model = entry && shownTo(toMsgModel(entry, stateOf(entry)), (seq) => isInRanges(visible, seq))
      const bytes = model ? jsonBytes(model) : 0
      if (!model || isFull || (bytes > left && given > 0)) {
        isFull = true
        return { ...messages, hasMore: true }
      }
      messages.messages.push(model)
      given += 1
      left -= bytes
    }
    return behind.length > 0 ? messages : { ...named, status: 'current' }
  })
}

function* seqsOf({ conversation, behind }: Position): Generator<Wanted> {
  for (const { fromSeq, toSeq = 0 } of behind) for (let seq = fromSeq; seq <= toSeq; seq++) yield { conversation, seq }
}
