import {
  groupConversation,
  type InputOf,
  type loadChatRecords,
  type OutputOf,
  PAGE_SIZE,
  personalConversation,
  type UserId,
} from '@qunxin/contracts'
import { toChatRecord } from '../domain/present.ts'
import type { MembershipSource } from '../membership/source.ts'
import type { MessageLog } from '../store/message-log.ts'
import type { Overviews } from '../store/overviews.ts'
import { readAsMember, visibleTo } from './as-member.ts'
import { fitting } from './fitting.ts'
import { statesOf } from './states.ts'
import { visiblePage } from './visible-page.ts'

/** What a page may take as JSON. */
const PAGE_BYTES = 512 * 1024

export interface ReadPorts {
  log: MessageLog
  overviews: Pick<Overviews, 'standing'>
  membership: MembershipSource
}

/**
 * Seed A, call 8: records after `lastTime`, oldest first; without it the newest page, with `beforeSeq` the newest page below
 * it. A page may be shorter than asked: only an empty one is the end. `hasMore` says whether there is more in that direction.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER
 */
export async function loadRecords(
  ports: ReadPorts,
  user: UserId,
  input: InputOf<typeof loadChatRecords>,
): Promise<OutputOf<typeof loadChatRecords>> {
  const { groupId, chatUserId = '', lastTime, beforeSeq, pageSize = PAGE_SIZE.default } = input
  const conversation = groupId === undefined ? personalConversation(user, chatUserId) : groupConversation(groupId)
  // One more than asked tells whether there is more.
  const limit = pageSize + 1
  const forward = lastTime !== undefined
  const [, [messages, states]] = await readAsMember(
    () => visibleTo(ports.membership, user, groupId),
    (visible) =>
      Promise.all([
        visiblePage(ports.log, conversation, { visible, lastTime, beforeSeq, limit }),
        statesOf(ports.overviews, conversation),
      ]),
  )
  const records = messages.map((message) => toChatRecord(message, states(message)))
  const page = fitting(forward ? records.slice(0, pageSize) : records.slice(-pageSize), {
    bytes: PAGE_BYTES,
    keep: forward ? 'first' : 'last',
  })
  return { recordList: page, hasMore: page.length < records.length }
}
