import { setTimeout as delay } from 'node:timers/promises'
import { residentKib } from '../measure/proc.ts'
import type { Target } from '../target.ts'
import type { Pace } from './pace.ts'
import { connectPairs, startRows } from './pairs.ts'
import { scenario } from './scenario.ts'

const SETTLE_MS = 3_000
/** What the first connections load once (code, pools) is no cost of a connection. */
const FIRST_PAIRS = 50

/** Connections that do next to nothing: what each costs the gateways in memory, and that all of them still get what is for them. */
export const idle = scenario({
  name: 'idle',
  about: 'connections that do next to nothing; what each costs the gateways',
  settings: {
    connections: { value: 10_000, about: 'how many, two users of a conversation each' },
    rate: { value: 50, about: 'messages a second in all, round the conversations' },
  },
  async prepare(context) {
    const { settings, target, fleet, progress } = context
    const all = Math.max(1, Math.floor(settings.connections / 2))
    const first = await connectPairs(context, Math.min(FIRST_PAIRS, all), false)
    await delay(SETTLE_MS)
    const before = gatewaysResidentKib(target)
    const rest = await connectPairs(context, all - first.length, false)
    await delay(SETTLE_MS)
    const grown = gatewaysResidentKib(target) - before
    const kibPerConnection = rest.length === 0 ? 0 : grown / (2 * rest.length)
    progress(`${fleet.clients.length} connections, ${kibPerConnection.toFixed(1)} KiB of gateway memory each`)
    let paces: Pace[] = []
    return {
      start() {
        paces = startRows([...first, ...rest], { ...settings, inFlight: 1 })
      },
      stop: async () => void (await Promise.all(paces.map((pace) => pace.stop()))),
      figures: () => ({ connections: fleet.clients.length - fleet.away.length, kibPerConnection }),
    }
  },
})

function gatewaysResidentKib({ processes }: Pick<Target, 'processes'>): number {
  const gateways = processes.filter(({ name, pid }) => name.startsWith('gateway') && pid > 0)
  return gateways.reduce((sum, { pid }) => sum + residentKib(pid), 0)
}
