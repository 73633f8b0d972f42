import type { Pace } from './pace.ts'
import { connectPairs, startRows } from './pairs.ts'
import { scenario } from './scenario.ts'

/** Phones on a train: every socket is cut again and again, each at its own time, and nobody misses anything. */
export const jitter = scenario({
  name: 'jitter',
  about: 'every socket is cut every 15 s and stays away for 2 s; what its user is sent meanwhile is replayed',
  settings: {
    clients: { value: 1_000, about: 'how many, two users of a conversation each' },
    rate: { value: 500, about: 'messages a second in all' },
    every: { value: 15, about: 'seconds between two cuts of a socket' },
    away: { value: 2, about: 'seconds until it connects again' },
    seconds: { value: 60, about: 'how long is measured' },
  },
  async prepare(context) {
    const { settings, fleet, random } = context
    const rows = await connectPairs(context, Math.max(1, Math.floor(settings.clients / 2)), true)
    const everyMs = settings.every * 1_000
    let paces: Pace[] = []
    let cuts = 0
    const timers = new Set<ReturnType<typeof setInterval>>()
    return {
      start() {
        paces = startRows(rows, { ...settings, inFlight: 1 })
        for (const client of fleet.clients) {
          const cut = () => {
            if (client.bound) cuts += 1
            client.drop(settings.away * 1_000)
          }
          const first = setTimeout(() => {
            timers.delete(first)
            cut()
            timers.add(setInterval(cut, everyMs))
          }, random() * everyMs)
          timers.add(first)
        }
      },
      async stop() {
        for (const timer of timers) clearInterval(timer)
        await Promise.all(paces.map((pace) => pace.stop()))
      },
      figures: () => ({ cuts }),
    }
  },
})
