import {
  type backlog,
  type ConversationId,
  groupConversation,
  type InputOf,
  type MessageState,
  type MsgModel,
  type OutputOf,
  shownTo,
  type UserId,
} from '@qunxin/contracts'
import { toMsgModel } from '../domain/present.ts'
import { isInRanges, rangesOf, timesIn, type Visible } from '../domain/visibility.ts'
import type { Membership } from '../membership/source.ts'
import type { Conversations } from '../store/conversations.ts'
import type { Cursors } from '../store/cursors.ts'
import type { Head } from '../store/message-log.ts'
import { readAsMember } from './as-member.ts'
import type { GroupsInTime } from './groups-in-time.ts'
import type { ReadPorts } from './records.ts'
import { seqsOfTimes } from './seqs-of-times.ts'

/** Protocol §3: what a connection that only knows the seeds gets at most. */
const BACKLOG_MESSAGES = 500
/** Personal conversations looked at: the newest of them. */
const CONVERSATIONS = 5_000
const READS_AT_ONCE = 16

export interface BacklogPorts extends Pick<ReadPorts, 'log' | 'membership'> {
  cursors: Cursors
  conversations: Conversations
  groupsInTime: Pick<GroupsInTime, 'of'>
}

export type BacklogGroups = InputOf<typeof backlog>['groups']

/** A conversation with something its user has not had. */
interface Behind extends Head {
  deliveredSeq: number
  /** Of a group whose seq at joining is not known: only what came later is theirs to get. */
  joinedAt: number | undefined
  visible: Visible
}

/**
 * What others sent after the user's deliveredSeq: the newest 500 in all, each conversation in order of seq. With `groups` of
 * `optional` personal conversations do not wait for a group-service that is away, with `only` there is nothing else.
 */
export async function readBacklog(
  ports: BacklogPorts,
  user: UserId,
  groups?: BacklogGroups,
): Promise<OutputOf<typeof backlog>> {
  const { conversations, membership, groupsInTime } = ports
  const personal = groups === 'only' ? Promise.resolve([]) : conversations.of(user, CONVERSATIONS)
  const [, [memberships, behind]] = await Promise.all([
    personal,
    readAsMember(
      async () => (groups === 'optional' ? groupsInTime.of(user) : membership.groupsOf(user)),
      async (memberships = []) => conversationsBehind(ports, user, { personal: await personal, memberships }),
    ),
  ])
  const messages = await newestUnseen(ports, user, behind)
  return { messages, ...(!memberships && { groupsMissing: true as const }) }
}

interface Candidates {
  personal: readonly ConversationId[]
  memberships: readonly Membership[]
}

async function newestUnseen(ports: BacklogPorts, user: UserId, behind: Behind[]): Promise<MsgModel[]> {
  behind.sort((one, other) => other.at - one.at)
  let newest: MsgModel[] = []
  for (let next = 0; next < behind.length; next += READS_AT_ONCE) {
    const enough = newest.length === BACKLOG_MESSAGES
    const oldestKept = newest.at(-1)?.serverReceiveDate ?? 0
    // The rest are older than what we have, and there is no room for them.
    if (enough && (behind[next]?.at ?? 0) < oldestKept) break
    const slice = behind.slice(next, next + READS_AT_ONCE)
    const read = await Promise.all(slice.map((one) => unseen(ports, user, one)))
    newest = [...newest, ...read.flat()].sort(newestFirst).slice(0, BACKLOG_MESSAGES)
  }
  // Inside a conversation the time rises with seq, so the order of time is the order of seq.
  return newest.reverse()
}

const newestFirst = (one: MsgModel, other: MsgModel) => other.serverReceiveDate - one.serverReceiveDate

/** To its receiver a message is one the server has: they have not confirmed it yet. */
const stateForReceiver: MessageState = 1

async function conversationsBehind(
  { log, cursors }: BacklogPorts,
  user: UserId,
  { personal, memberships }: Candidates,
): Promise<Behind[]> {
  const groups = new Map(memberships.map((one) => [groupConversation(one.groupId), one] as const))
  const all: ConversationId[] = [...personal, ...groups.keys()]
  const [heads, mine] = await Promise.all([log.heads(all), cursors.ofUser(user, all)])
  return heads.flatMap((head) => {
    const { joinedSeq, joinedAt, visible } = groups.get(head.conversation) ?? { joinedSeq: 0 }
    // The cursor may be of an earlier membership.
    const deliveredSeq = Math.max(mine.get(head.conversation)?.deliveredSeq ?? 0, joinedSeq ?? 0)
    if (deliveredSeq >= head.seq) return []
    if (joinedSeq !== undefined) return [{ ...head, deliveredSeq, joinedAt: undefined, visible }]
    return head.at > (joinedAt ?? 0) ? [{ ...head, deliveredSeq, joinedAt, visible }] : []
  })
}

async function unseen({ log }: BacklogPorts, user: UserId, behind: Behind): Promise<MsgModel[]> {
  const { conversation, deliveredSeq, seq, joinedAt, visible } = behind
  const [joinedSeq = 0] = joinedAt === undefined ? [] : await log.seqsAt([{ conversation, time: joinedAt }])
  const messages = await log.newest(conversation, {
    fromSeq: Math.max(deliveredSeq, joinedSeq) + 1,
    toSeq: seq,
    notFrom: user,
    limit: BACKLOG_MESSAGES,
  })
  const models = messages.map((message) => toMsgModel(message, stateForReceiver))
  if (visible === undefined || !messages.some(({ change }) => change)) return models
  const ranges = rangesOf(visible, await seqsOfTimes(log, conversation, timesIn(visible)))
  return models.map((model) => shownTo(model, (seq) => isInRanges(ranges, seq)))
}
