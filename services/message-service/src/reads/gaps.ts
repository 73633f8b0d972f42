import type { ConversationId, MsgModel, UserId } from '@qunxin/contracts'
import { toMsgModel } from '../domain/present.ts'
import type { Overviews } from '../store/overviews.ts'
import { ReadEntries, type Wanted } from './sync-positions.ts'

/** What of one conversation has not reached a user, both ends included. */
export interface Gap {
  conversation: ConversationId
  fromSeq: number
  toSeq: number
}

export interface Missed {
  gaps: ReadonlyMap<UserId, readonly Gap[]>
  /** Who may have missed more than their gaps. */
  unsure: ReadonlySet<UserId>
}

/** What an answer brings to all its users together, and to one of them; who has missed more is read alone. */
const ENTRIES = { all: 2_000, each: 100 }
/** Characters of text in an answer: it is put together at one go, and sends wait meanwhile. */
const TEXT = 2 * 1024 * 1024

/** What others sent in the gaps of each user, in one question. Who is left out is to be read alone. */
export async function readGaps(
  { overviews }: { overviews: Pick<Overviews, 'entries'> },
  { gaps, unsure }: Missed,
): Promise<Map<UserId, MsgModel[]>> {
  const asked = new Map<UserId, readonly Gap[]>()
  let room = ENTRIES.all
  for (const [user, theirs] of gaps) {
    const entries = theirs.reduce((sum, { fromSeq, toSeq }) => sum + toSeq - fromSeq + 1, 0)
    if (unsure.has(user) || entries > Math.min(room, ENTRIES.each)) continue
    room -= entries
    asked.set(user, theirs)
  }
  // Seqs have no hole, so it is known which entries there are.
  const wanted = [...asked.values()].flat().flatMap(entriesIn)
  const entries = new ReadEntries()
  entries.add(wanted, await overviews.entries(wanted))
  const read = new Map<UserId, MsgModel[]>()
  let left = TEXT
  for (const [user, theirs] of asked) {
    const messages = messagesIn(theirs, user, entries)
    const text = messages?.reduce((sum, { contentStr }) => sum + contentStr.length, 0) ?? 0
    if (!messages || text > left) continue
    left -= text
    read.set(user, messages)
  }
  return read
}

/** Oldest first, each conversation in order of seq; undefined when their history has to say how much of a change is shown. */
function messagesIn(gaps: readonly Gap[], user: UserId, entries: ReadEntries): MsgModel[] | undefined {
  const messages: MsgModel[] = []
  for (const gap of gaps) {
    for (const one of entriesIn(gap)) {
      const message = entries.get(one)
      if (!message || message.from === user) continue
      if (message.change && message.group !== undefined) return undefined
      // To its receiver a message is one the server has: they have not confirmed it yet.
      messages.push(toMsgModel(message, 1))
    }
  }
  // Inside a conversation the time rises with seq.
  return messages.sort((one, other) => one.serverReceiveDate - other.serverReceiveDate)
}

function entriesIn({ conversation, fromSeq, toSeq }: Gap): Wanted[] {
  return Array.from({ length: toSeq - fromSeq + 1 }, (_, i) => ({ conversation, seq: fromSeq + i }))
}
