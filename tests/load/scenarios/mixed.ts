import { groupConversation, personalConversation } from '@qunxin/contracts'
import { httpBound } from '../bounds/http.ts'
import { Caller } from '../clients/caller.ts'
import type { RunClient } from '../clients/run-client.ts'
import { signToken } from '../clients/token.ts'
import { createGroup } from './create-group.ts'
import type { Pace } from './pace.ts'
import { connectPairs, type Row, startRows } from './pairs.ts'
import { type Context, scenario } from './scenario.ts'

/** Of a group. */
const WRITERS = 3
const TOKEN_SECONDS = 24 * 3600

/** Pairs and groups at once: what faults are survived with. */
export const mixed = scenario({
  name: 'mixed',
  about: 'pairs and groups at once, with callers by HTTP beside them',
  settings: {
    pairs: { value: 12, about: 'how many, both of them send' },
    groups: { value: 3, about: 'how many' },
    members: { value: 8, about: 'of each group' },
    inFlight: { value: 4, about: 'closed loop: unacknowledged messages of each sender' },
    rate: { value: 600, about: 'open loop instead: messages a second in all' },
    callers: { value: 0, about: 'users who call and send by HTTP, of each gateway' },
  },
  sdkOnly: true,
  async prepare(context) {
    const { settings } = context
    const rows = await connectPairs(context, settings.pairs, true)
    for (let group = 0; group < settings.groups; group++) rows.push(...(await connectGroup(context, settings.members)))
    const callers = makeCallers(context, settings.callers, rows)
    let paces: Pace[] = []
    return {
      start() {
        paces = startRows(rows, settings)
        for (const caller of callers) caller.start()
      },
      stop: async () => void (await Promise.all([...paces, ...callers].map((one) => one.stop()))),
      bounds: (seen) => (callers.length === 0 ? [] : [httpBound(callers, seen)]),
    }
  },
})

/** Members of a new group on all gateways, some of whom write. */
async function connectGroup(
  { fleet, history, settings, target, progress }: Context<{ sync: boolean }>,
  count: number,
): Promise<Row[]> {
  const members = await fleet.connect(count, { sync: settings.sync })
  const [owner] = members as [RunClient]
  const memberIds = members.map(({ userId }) => userId)
  const groupId = await createGroup(target, owner, { memberIds, progress })
  const conversation = history.conversation(groupConversation(groupId))
  for (const { index } of members) history.joined(conversation, index)
  return members.slice(0, WRITERS).map((client) => ({ client, conversation }))
}

/** Behind all clients with a socket. Each sends to one of those. */
function makeCallers(
  { fleet, history, watcher, target }: Pick<Context<unknown>, 'fleet' | 'history' | 'watcher' | 'target'>,
  perGateway: number,
  rows: readonly Row[],
): Caller[] {
  const urls = Array.from({ length: perGateway }, () => target.urls).flat()
  const ids = fleet.newIds(urls.length)
  return urls.map((url, i) => {
    const userId = ids[i] as number
    const receiver = (rows[i % rows.length] as Row).client
    const conversation = history.conversation(personalConversation(String(userId), String(receiver.userId)))
    history.joined(conversation, receiver.index)
    const accessToken = signToken(target.authSecret, String(userId), TOKEN_SECONDS)
    return new Caller({ url, userId, accessToken, conversation, history, watcher })
  })
}
