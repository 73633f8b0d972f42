import { groupConversation } from '@qunxin/contracts'
import type { RunClient } from '../clients/run-client.ts'
import { createGroup } from './create-group.ts'
import { openLoop, type Pace } from './pace.ts'
import { scenario } from './scenario.ts'

/** One group to which some of its members write, and which every connected member is shown. */
export const group = scenario({
  name: 'group',
  about: 'one large group: messages a second from some of its members to all that are online',
  settings: {
    members: { value: 200, about: 'of the group' },
    online: { value: 200, about: 'of them connected; the full size is --members 10000 --online 2000' },
    senders: { value: 10, about: 'of those who write' },
    rate: { value: 20, about: 'messages a second in all' },
  },
  async prepare({ settings, fleet, history, target, progress }) {
    const online = Math.min(settings.online, settings.members)
    const clients = await fleet.connect(online, { sync: settings.sync })
    // Those who are not there have ids behind the ones that are.
    const memberIds = [...clients.map(({ userId }) => userId), ...fleet.newIds(settings.members - online)]
    const groupId = await createGroup(target, clients[0] as RunClient, { memberIds, progress })
    const conversation = history.conversation(groupConversation(groupId))
    for (const { index } of clients) history.joined(conversation, index)
    const senders = clients.slice(0, Math.max(1, settings.senders))
    const send = (number: number, intendedAt: number) =>
      senders[number % senders.length]?.send(conversation, { units: settings.size, intendedAt })
    let pace: Pace | undefined
    return {
      start() {
        pace = openLoop(settings.rate, send)
      },
      stop: async () => pace?.stop(),
    }
  },
})
