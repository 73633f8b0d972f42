import {
  conversationOf,
  groupOf,
  type InputOf,
  type OutputOf,
  type queryReceipts,
  RECEIPTS_PER_PAGE,
  type UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { Message } from '../domain/message.ts'
import { stateOf } from '../domain/present.ts'
import { isVisible } from '../domain/visibility.ts'
import type { MembershipSource } from '../membership/source.ts'
import type { Cursors } from '../store/cursors.ts'
import type { MessageLog } from '../store/message-log.ts'
import { readAsMember, visibleTo } from './as-member.ts'
import type { MemberCursor, MemberCursors } from './member-cursors.ts'

export interface QueryReceiptsPorts {
  log: Pick<MessageLog, 'oldest'>
  cursors: Pick<Cursors, 'of'>
  membership: Pick<MembershipSource, 'memberOf'>
  memberCursors: Pick<MemberCursors, 'of'>
}

type Page = OutputOf<typeof queryReceipts>

/**
 * Protocol §5: who has had and read a message, without its author; of a personal one that is its receiver.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, MESSAGE_NOT_FOUND also for what the caller may not see
 */
export async function readReceipts(
  ports: QueryReceiptsPorts,
  user: UserId,
  input: InputOf<typeof queryReceipts>,
): Promise<Page> {
  const { seq, after = 0 } = input
  const conversation = conversationOf(user, input)
  const group = groupOf(conversation)
  const [visible, [[message], members]] = await readAsMember(
    () => visibleTo(ports.membership, user, group),
    () =>
      Promise.all([
        ports.log.oldest(conversation, { fromSeq: seq, toSeq: seq, limit: 1 }),
        group === undefined ? undefined : ports.memberCursors.of(group),
      ]),
  )
  if (!message || !isVisible(visible, message)) throw new AppError('MESSAGE_NOT_FOUND')
  const { from } = message
  const readers = members
    ? members.filter((member) => member.user !== from && member.joinedSeq < seq)
    : await receiverOf(ports.cursors, message)
  return pageOf(readers, seq, after)
}

async function receiverOf(cursors: Pick<Cursors, 'of'>, { conversation, to = '' }: Message): Promise<MemberCursor[]> {
  const { deliveredSeq = 0, readSeq = 0 } = (await cursors.of(conversation, [to])).get(to) ?? {}
  return [{ user: to, joinedSeq: 0, deliveredSeq, readSeq }]
}

/** Of readers by user id. */
function pageOf(readers: readonly MemberCursor[], seq: number, after: number): Page {
  const behind = readers.filter(({ user }) => Number(user) > after)
  const members = behind
    .slice(0, RECEIPTS_PER_PAGE)
    .map((reader) => ({ userId: Number(reader.user), state: stateOf(seq, reader) }))
  const last = members.at(-1)
  return {
    deliveredCount: readers.filter(({ deliveredSeq }) => deliveredSeq >= seq).length,
    readCount: readers.filter(({ readSeq }) => readSeq >= seq).length,
    total: readers.length,
    members,
    ...(last && behind.length > RECEIPTS_PER_PAGE && { next: last.userId }),
  }
}
