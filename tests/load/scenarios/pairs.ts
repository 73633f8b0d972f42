import { personalConversation } from '@qunxin/contracts'
import type { RunClient } from '../clients/run-client.ts'
import { closedLoop, openLoop, type Pace } from './pace.ts'
import { type Context, scenario } from './scenario.ts'

/** A user and the conversation they send into. */
export interface Row {
  client: RunClient
  conversation: number
}

/** Users who write to one another, two by two, on different gateways. */
export const pairs = scenario({
  name: 'pairs',
  about: 'users who write to one another, two by two, each on another gateway',
  settings: {
    pairs: { value: 100, about: 'how many' },
    inFlight: { value: 4, about: 'closed loop: unacknowledged messages of each sender' },
    rate: { value: 0, about: 'open loop instead: messages a second in all' },
    bothWays: { value: false, about: 'both of a pair send; else the first to the second' },
  },
  async prepare(context) {
    const { settings } = context
    const rows = await connectPairs(context, settings.pairs, settings.bothWays)
    let paces: Pace[] = []
    return {
      start() {
        paces = startRows(rows, settings)
      },
      stop: async () => void (await Promise.all(paces.map((pace) => pace.stop()))),
    }
  },
})

/** Both of a pair are clients; the rows that send are the first one's, or both. */
export async function connectPairs(
  context: Pick<Context<{ sync: boolean }>, 'fleet' | 'history' | 'settings'>,
  count: number,
  bothWays: boolean,
): Promise<Row[]> {
  return asPairs(context, await context.fleet.connect(2 * count, { sync: context.settings.sync }), bothWays)
}

/** Clients two by two, as they come. */
export function asPairs(
  { history }: Pick<Context<unknown>, 'history'>,
  clients: readonly RunClient[],
  bothWays: boolean,
): Row[] {
  return Array.from({ length: clients.length / 2 }, (_, i) => clients.slice(2 * i, 2 * i + 2)).flatMap((pair) => {
    const [one, two] = pair as [RunClient, RunClient]
    const conversation = history.conversation(personalConversation(String(one.userId), String(two.userId)))
    for (const client of pair) history.joined(conversation, client.index)
    return (bothWays ? pair : [one]).map((client) => ({ client, conversation }))
  })
}

/** Open loop when there is a rate, else closed loop. */
export function startRows(
  rows: readonly Row[],
  { rate, inFlight, size }: { rate: number; inFlight: number; size: number },
): Pace[] {
  if (rate > 0) {
    const next = (number: number) => rows[number % rows.length] as Row
    const send = (number: number, intendedAt: number) =>
      next(number).client.send(next(number).conversation, { units: size, intendedAt })
    return [openLoop(rate, send)]
  }
  return rows.map(({ client, conversation }) =>
    closedLoop(
      inFlight,
      (settled) => client.send(conversation, { units: size, settled }),
      () => client.ended === undefined,
    ),
  )
}
