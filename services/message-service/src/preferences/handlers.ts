import { actorOf, type Bus, type CallContext, type HandlersOf } from '@qunxin/bus'
import {
  BLOCKED_PER_PAGE,
  type PreferenceChange,
  partitionOf,
  personalConversation,
  preferenceAnswer,
  subjects,
  type UserId,
} from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { ownersAnswer } from '../asking.ts'
import { conversationFor } from '../membership/conversation-for.ts'
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

/** @throws AppError TIMEOUT */
async function change(
  { bus, partitions, preferences }: PreferencePorts,
  wanted: Omit<PreferenceChange, 'version'>,
  { deadline }: CallContext,
): Promise<Record<string, never>> {
  const { user, conversation } = wanted
  const subject = subjects.partitionPreference(partitionOf(conversation, partitions))
  for (;;) {
    const asked: PreferenceChange = { ...wanted, version: await preferences.version(user, conversation) }
    // Another device of the user was first, when it is not done.
    if (preferenceAnswer.parse(await ownersAnswer(bus, subject, { asked, deadline })).done) return {}
  }
}
