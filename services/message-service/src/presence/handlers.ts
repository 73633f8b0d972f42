import { actorOf, type Bus, type HandlersOf } from '@qunxin/bus'
import { partitionOf, personalConversation, subjects, type TypingNotice, type UserId } from '@qunxin/contracts'
import type { Routes } from '../fanout/routes.ts'
import { conversationFor } from '../membership/conversation-for.ts'
import type { MembershipSource } from '../membership/source.ts'
import type { ReadGate } from '../reads/read-gate.ts'
import type { Conversations } from '../store/conversations.ts'
import type { Preferences } from '../store/preferences.ts'

export interface PresencePorts {
  routes: Pick<Routes, 'online'>
  conversations: Pick<Conversations, 'among'>
  preferences: Pick<Preferences, 'ofPairs'>
  membership: Pick<MembershipSource, 'memberOf'>
  bus: Pick<Bus, 'publish'>
  partitions: number
  gate: ReadGate
}

interface PresenceHandlers {
  services: HandlersOf<'presence'>
  clients: Pick<HandlersOf<'message'>, 'message.queryPresence' | 'message.typing'>
}

/** Who is online: services learn it of anybody, clients of their contacts who do not block them. And who types. */
export function presenceHandlers(ports: PresencePorts): PresenceHandlers {
  const { routes, conversations, preferences, membership, bus, partitions, gate } = ports

  /** Without a conversation one is no contact; who blocks is shown as away. */
  const contactsOf = async (user: UserId, others: readonly UserId[]) => {
    const withEach = new Map(others.map((other) => [personalConversation(user, other), other]))
    const names = [...withEach.keys()]
    const [begun, rows] = await Promise.all([conversations.among(user, names), preferences.ofPairs(names)])
    const contacts = [...withEach].flatMap(([conversation, other]) => (begun.has(conversation) ? [other] : []))
    const hidden = new Set(rows.flatMap((row) => (row.blocked && row.user !== user ? [row.user] : [])))
    return { contacts, visible: contacts.filter((other) => !hidden.has(other)) }
  }

  return {
    services: {
      'presence.get': ({ userIds }, { deadline }) =>
        gate.run(deadline, async () => {
          const online = await routes.online([...new Set(userIds)])
          return { users: userIds.map((userId) => ({ userId, online: online.has(userId) })) }
        }),
    },
    clients: {
      'message.queryPresence': ({ userIds }, context) =>
        gate.run(context.deadline, async () => {
          const { contacts, visible } = await contactsOf(actorOf(context), userIds)
          const online = await routes.online(visible)
          return { users: contacts.map((user) => ({ userId: Number(user), online: online.has(user) })) }
        }),

      async 'message.typing'(input, context) {
        const user = actorOf(context)
        const conversation = await conversationFor(user, input, membership)
        const notice: TypingNotice = { user, conversation }
        bus.publish(subjects.partitionTyping(partitionOf(conversation, partitions)), JSON.stringify(notice))
        return {}
      },
    },
  }
}
