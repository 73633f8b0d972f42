import { setTimeout as delay } from 'node:timers/promises'
import type { Pace } from './pace.ts'
import { connectPairs, startRows } from './pairs.ts'
import { scenario } from './scenario.ts'

const LOOK_MS = 20
const GIVE_UP_MS = 120_000

/** All connections break in one moment, under load: how long until everybody is back, and has everything. */
export const storm = scenario({
  name: 'storm',
  about: 'all clients are dropped at once, under load: until each is bound again and has everything',
  settings: {
    clients: { value: 2_000, about: 'how many, two users of a conversation each' },
    rate: { value: 500, about: 'messages a second in all' },
    drops: { value: 1, about: 'how often all are dropped' },
    calm: { value: 3, about: 'seconds of load before each drop' },
  },
  async prepare(context) {
    const { settings, fleet, watcher, progress } = context
    const rows = await connectPairs(context, Math.max(1, Math.floor(settings.clients / 2)), true)
    let paces: Pace[] = []
    let slowestMs = 0
    return {
      start() {
        paces = startRows(rows, { ...settings, inFlight: 1 })
      },
      async during() {
        for (let drop = 1; drop <= settings.drops; drop++) {
          await delay(settings.calm * 1_000)
          const droppedAt = performance.now()
          for (const client of fleet.clients) client.drop()
          const took = await everybodyBack(droppedAt)
          slowestMs = Math.max(slowestMs, took)
          progress(`drop ${drop}: all ${fleet.clients.length} back after ${(took / 1_000).toFixed(1)} s`)
        }
      },
      stop: async () => void (await Promise.all(paces.map((pace) => pace.stop()))),
      figures: () => ({ secondsUntilAllBack: slowestMs / 1_000 }),
    }

    /** Each one's way back is timed from the drop, not from its own attempt. */
    async function everybodyBack(droppedAt: number): Promise<number> {
      const away = new Set(fleet.clients)
      // A socket that was cut says so a moment later.
      await delay(0)
      while (away.size > 0) {
        if (performance.now() - droppedAt > GIVE_UP_MS) throw new Error(`${away.size} clients did not come back`)
        for (const client of away) {
          if (!client.boundSince(droppedAt)) continue
          away.delete(client)
          watcher.record('back', droppedAt, client.boundAt)
        }
        await delay(LOOK_MS)
      }
      return performance.now() - droppedAt
    }
  },
})
