import { type ConversationId, conversationOf, pairOf, type UserId } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import type { MembershipSource } from './source.ts'

/**
 * The conversation that one of its users names.
 *
 * @throws AppError GROUP_NOT_FOUND, NOT_A_MEMBER, NO_SUCH_RECEIVER for oneself
 */
export async function conversationFor(
  user: UserId,
  name: Parameters<typeof conversationOf>[1],
  membership: Pick<MembershipSource, 'memberOf'>,
): Promise<ConversationId> {
  const conversation = conversationOf(user, name)
  const pair = pairOf(conversation)
  if (pair && pair[0] === pair[1]) throw new AppError('NO_SUCH_RECEIVER')
  if (name.sessionId !== undefined) await membership.memberOf(name.sessionId, user)
  return conversation
}
