import type { Pace } from './pace.ts'
import { asPairs, connectPairs, startRows } from './pairs.ts'
import { scenario } from './scenario.ts'

/** What a process loads and compiles for its first connections is no cost of a connection. */
const FIRST_PAIRS = 50

/** Users who all come within a moment, as fast as they are let in. Their tokens are made before the clock starts. */
export const connect = scenario({
  name: 'connect',
  about: 'users connect and bind with their tokens, as fast as that goes; how many a second',
  settings: {
    clients: { value: 4_000, about: 'how many, two users of a conversation each' },
    atOnce: { value: 200, about: 'of them on their way to be bound at a time' },
    rate: { value: 50, about: 'messages a second in all, round the conversations there are' },
    seconds: { value: 3, about: 'how long is measured at least' },
  },
  async prepare(context) {
    const { settings, fleet } = context
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
