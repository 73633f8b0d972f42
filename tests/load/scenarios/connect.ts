import { setTimeout as delay } from 'node:timers/promises'
import { Fleet } from '../clients/fleet.ts'
import { Watcher } from '../clients/watcher.ts'
import { History } from '../history.ts'
import type { Pace } from './pace.ts'
import { asPairs, connectPairs, startRows } from './pairs.ts'
import { type Context, scenario } from './scenario.ts'

/** Who write to one another meanwhile. */
const FIRST_PAIRS = 50
/** Until the gateways are done with those who have left. */
const GONE_MS = 3_000

/**
 * Users who all come within a moment, as fast as they are let in, to gateways that have served others before: what is compiled and
 * grown once in a process's life is no cost of a connection. Their tokens are made before the clock starts.
 */
export const connect = scenario({
  name: 'connect',
  about:
    'users connect and bind with their tokens, as fast as that goes, after others have come and gone; how many a second',
  settings: {
    clients: { value: 4_000, about: 'how many, two users of a conversation each' },
    before: { value: 4_000, about: 'users who connect and leave again first; 0: the gateways are fresh' },
    atOnce: { value: 400, about: 'of them on their way to be bound at a time' },
    rate: { value: 50, about: 'messages a second in all, round the conversations there are' },
    seconds: { value: 3, about: 'how long is measured at least' },
  },
  async prepare(context) {
    const { settings, fleet } = context
    if (settings.before > 0) await comeAndGo(context, settings)
    const rows = await connectPairs(context, FIRST_PAIRS, false)
    const users = fleet.newUsers(2 * Math.max(1, Math.floor(settings.clients / 2)))
    let paces: Pace[] = []
    let boundPerSecond = 0
    return {
      start() {
        paces = startRows(rows, { ...settings, inFlight: 1 })
      },
      async during() {
        const since = performance.now()
        const clients = await fleet.bind(users, settings)
        const last = clients.reduce((latest, { boundAt }) => Math.max(latest, boundAt), since)
        boundPerSecond = (1_000 * clients.length) / (last - since)
        // From now on messages go round these too: each must be as good a connection as any.
        rows.push(...asPairs(context, clients, false))
      },
      stop: async () => void (await Promise.all(paces.map((pace) => pace.stop()))),
      figures: () => ({ boundPerSecond }),
    }
  },
})

/** Others, who are no part of what is written down and judged. */
async function comeAndGo(
  { target, progress }: Pick<Context<unknown>, 'target' | 'progress'>,
  { before, atOnce, sdk }: { before: number; atOnce: number; sdk: boolean },
): Promise<void> {
  const history = new History()
  const others = new Fleet({ target, history, watcher: new Watcher(history), pingEveryMs: 0, sdk, progress })
  try {
    await others.connect(before, { atOnce })
  } finally {
    others.close()
  }
  await delay(GONE_MS)
}
