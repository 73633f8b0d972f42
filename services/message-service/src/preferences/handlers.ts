import { actorOf, type Bus, type CallContext, type HandlersOf } from '@qunxin/bus'
import {
  BLOCKED_PER_PAGE,
  type ConversationId,
  conversationOf,
  type PreferenceChange,
  pairOf,
  partitionOf,
  personalConversation,
  preferenceAnswer,
  subjects,
  type UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { askOwner } from '../asking.ts'
import type { MembershipSource } from '../membership/source.ts'
import type { Preferences } from '../store/preferences.ts'

export interface PreferencePorts {
  bus: Bus
  partitions: number
  preferences: Pick<Preferences, 'version' | 'blockedBy'>
  membership: Pick<MembershipSource, 'memberOf'>
}

type Operations = 'message.blockUser' | 'message.unblockUser' | 'message.blockList' | 'message.muteConversation'

/** Whom a user blocks and what they mute. Any instance serves it; the partition's owner makes the change. */
export function preferenceHandlers(ports: PreferencePorts): Pick<HandlersOf<'message'>, Operations> {
  const block = async (other: UserId, blocked: boolean, context: CallContext) => {
    const user = actorOf(context)
    if (other === user) throw new AppError('NO_SUCH_RECEIVER')
    return change(ports, { user, conversation: personalConversation(user, other), blocked }, context)
  }
  return {
    'message.blockUser': ({ blockUserId }, context) => block(blockUserId, true, context),
    'message.unblockUser': ({ blockUserId }, context) => block(blockUserId, false, context),

    async 'message.blockList'({ after = 0 }, context) {
      const limit = BLOCKED_PER_PAGE + 1
      const found = await ports.preferences.blockedBy(actorOf(context), { after, limit })
      const userIds = found.slice(0, BLOCKED_PER_PAGE)
      return found.length < limit ? { userIds } : { userIds, next: userIds.at(-1) }
    },

    async 'message.muteConversation'({ muted, ...name }, context) {
      const user = actorOf(context)
      const conversation = await conversationFor(user, name, ports.membership)
      return change(ports, { user, conversation, muted }, context)
    },
  }
}

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

/** @throws AppError TIMEOUT when no owner answered: it may be done or not, and may be asked for again */
async function change(
  { bus, partitions, preferences }: PreferencePorts,
  wanted: Omit<PreferenceChange, 'version'>,
  { deadline }: CallContext,
): Promise<Record<string, never>> {
  const { user, conversation } = wanted
  const subject = subjects.partitionPreference(partitionOf(conversation, partitions))
  for (;;) {
    const asked: PreferenceChange = { ...wanted, version: await preferences.version(user, conversation) }
    const reply = await askOwner(bus, subject, { payload: JSON.stringify(asked), deadline })
    if (!reply) throw new AppError('TIMEOUT')
    // Another device of the user was first.
    if (preferenceAnswer.parse(JSON.parse(Buffer.from(reply).toString())).done) return {}
  }
}
