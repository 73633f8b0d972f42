import { createHttp } from '@qunxin/client'
import { groupConversation } from '@qunxin/contracts'
import type { LoadClient } from '../clients/load-client.ts'
import type { Target } from '../target.ts'
import { openLoop, type Pace } from './pace.ts'
import { scenario } from './scenario.ts'

/** Of one request (protocol §2). */
const MEMBERS_A_REQUEST = 500

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
    const groupId = await createGroup(target, clients[0] as LoadClient, { memberIds, progress })
    const conversation = history.conversation(groupConversation(groupId))
    for (const { index } of clients) history.joined(conversation, index)
    const senders = clients.slice(0, Math.max(1, settings.senders))
    const send = (number: number, intendedAt: number) =>
      void senders[number % senders.length]?.send(conversation, { units: settings.size, intendedAt })
    let pace: Pace | undefined
    return {
      start() {
        pace = openLoop(settings.rate, send)
      },
      stop: async () => pace?.stop(),
    }
  },
})

async function createGroup(
  { urls }: Pick<Target, 'urls'>,
  { userId, accessToken }: LoadClient,
  { memberIds, progress }: { memberIds: readonly number[]; progress(line: string): void },
): Promise<string> {
  const http = createHttp({ url: urls[0] as string, userId, accessToken })
  const slices = Array.from({ length: Math.ceil(memberIds.length / MEMBERS_A_REQUEST) }, (_, i) =>
    memberIds.slice(i * MEMBERS_A_REQUEST, (i + 1) * MEMBERS_A_REQUEST),
  )
  const first = { groupName: 'load', memberIds: slices.shift() ?? [] }
  const { groupId } = await http.post<{ groupId: string }>('/chat/group!createGroup', first)
  for (const [done, slice] of slices.entries()) {
    await http.post('/chat/group!addGroupMembers', { groupId, memberIds: slice })
    progress(`${Math.min((done + 2) * MEMBERS_A_REQUEST, memberIds.length)} of ${memberIds.length} members`)
  }
  return groupId
}
