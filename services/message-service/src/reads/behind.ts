import {
  type ConversationId,
  groupConversation,
  type OutputOf,
  type behind as operation,
  type UserId,
} from '@qunxin/contracts'
import type { Conversations } from '../store/conversations.ts'
import type { CursorKey, Cursors } from '../store/cursors.ts'
import type { MessageLog } from '../store/message-log.ts'
import type { Overviews } from '../store/overviews.ts'
import { readAsMember } from './as-member.ts'
import { type Gap, type Missed, readGaps } from './gaps.ts'
import type { GroupsInTime } from './groups-in-time.ts'

/** Of all users of a question together; who does not fit in is read alone. */
const CONVERSATIONS = 2_000

export interface BehindPorts {
  log: Pick<MessageLog, 'heads'>
  overviews: Pick<Overviews, 'entries'>
  cursors: Pick<Cursors, 'each'>
  conversations: Pick<Conversations, 'ofUsers'>
  groupsInTime: Pick<GroupsInTime, 'ofUsers'>
}

/** One user's place in one conversation, as far as it is theirs to get. */
interface Place extends CursorKey {
  joinedSeq: number
  /** Of a group whose seq at joining is not known. */
  joinedAt: number
}

/**
 * For whom there may be a backlog, in four questions however many ask. Whoever is not named has everything, but for what is sent
 * from now on; whoever is named may have nothing to get all the same, as when only their own messages are newer. With `messages`
 * a fifth question brings the backlogs of those who have missed little.
 */
export async function readBehind(
  ports: BehindPorts,
  users: readonly UserId[],
  messages?: true,
): Promise<OutputOf<typeof operation>> {
  const personal = ports.conversations.ofUsers(users, CONVERSATIONS)
  const [, [, answer]] = await Promise.all([
    personal,
    readAsMember(
      () => ports.groupsInTime.ofUsers(users),
      async (groups) => {
        const missed = await missedBy(ports, placesOf(users, await personal, groups))
        const read = messages && (await readGaps(ports, missed))
        const isBehind = (user: UserId) => missed.unsure.has(user) || missed.gaps.has(user)
        return {
          behind: users.filter((user) => isBehind(user) && !read?.has(user)),
          ...(read && { backlogs: [...read] }),
        }
      },
    ),
  ])
  return answer
}

/** Where each of these users may have missed something, and of whom that cannot be told. */
function placesOf(
  users: readonly UserId[],
  personal: ReadonlyMap<UserId, readonly ConversationId[]>,
  groups: Awaited<ReturnType<GroupsInTime['ofUsers']>>,
): { places: Place[]; unsure: Set<UserId> } {
  const unsure = new Set<UserId>()
  const places: Place[] = []
  for (const [i, user] of users.entries()) {
    const [pairs, joined] = [personal.get(user), groups?.[i]]
    const room = CONVERSATIONS - places.length
    if (!pairs || !joined || pairs.length + joined.length > room) {
      unsure.add(user)
      continue
    }
    for (const conversation of pairs) places.push({ user, conversation, joinedSeq: 0, joinedAt: 0 })
    for (const { groupId, joinedAt, joinedSeq } of joined)
      places.push({
        user,
        conversation: groupConversation(groupId),
        joinedSeq: joinedSeq ?? 0,
        joinedAt: joinedSeq === undefined ? joinedAt : 0,
      })
  }
  return { places, unsure }
}

async function missedBy(
  { log, cursors }: BehindPorts,
  { places, unsure }: { places: readonly Place[]; unsure: Set<UserId> },
): Promise<Missed> {
  const gaps = new Map<UserId, Gap[]>()
  if (places.length === 0) return { gaps, unsure }
  const names = [...new Set<ConversationId>(places.map(({ conversation }) => conversation))]
  const [found, mine] = await Promise.all([log.heads(names), cursors.each(places)])
  const heads = new Map(found.map((head) => [head.conversation, head]))
  for (const [i, { user, conversation, joinedSeq, joinedAt }] of places.entries()) {
    const head = heads.get(conversation)
    if (!head || head.at <= joinedAt) continue
    const had = Math.max(mine[i]?.deliveredSeq ?? 0, joinedSeq)
    if (head.seq <= had) continue
    // What was sent before a time is no seq yet.
    if (joinedAt > 0) unsure.add(user)
    const gap = { conversation, fromSeq: had + 1, toSeq: head.seq }
    const others = gaps.get(user)
    if (others) others.push(gap)
    else gaps.set(user, [gap])
  }
  return { gaps, unsure }
}
