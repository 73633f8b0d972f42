import { setTimeout as delay } from 'node:timers/promises'
import { Delivery } from '../check/delivery.ts'
import type { Pace } from './pace.ts'
import { connectPairs, startRows } from './pairs.ts'
import { scenario } from './scenario.ts'

const LOOK_MS = 20
const GIVE_UP_MS = 120_000

/** All connections break in one moment, under load: how long until everybody is back, and has everything. */
export const storm = scenario({
  name: 'storm',
  about: 'all clients are dropped at once, under load: how long until each is bound again and has everything',
  settings: {
    clients: { value: 2_000, about: 'how many, two users of a conversation each' },
    rate: { value: 500, about: 'messages a second in all' },
    drops: { value: 1, about: 'how often all are dropped' },
    calm: { value: 3, about: 'seconds of load before each drop' },
  },
  async prepare(context) {
    const { settings, fleet, watcher, history, progress } = context
    const rows = await connectPairs(context, Math.max(1, Math.floor(settings.clients / 2)), true)
    let paces: Pace[] = []
    const slowest = { back: 0, shown: 0 }
    return {
      start() {
        paces = startRows(rows, { ...settings, inFlight: 1 })
      },
      async during() {
        for (let drop = 1; drop <= settings.drops; drop++) {
          await delay(settings.calm * 1_000)
          const droppedAt = performance.now()
          for (const client of fleet.clients) client.drop()
          const back = await everybodyBack(droppedAt)
          const shown = await everythingShown(droppedAt)
          slowest.back = Math.max(slowest.back, back)
          slowest.shown = Math.max(slowest.shown, shown)
          const text = `all ${fleet.clients.length} back after ${back.toFixed(1)} s, everything shown after ${shown.toFixed(1)} s`
          progress(`drop ${drop}: ${text}`)
        }
      },
      stop: async () => void (await Promise.all(paces.map((pace) => pace.stop()))),
      figures: () => ({ secondsUntilAllBack: slowest.back, secondsUntilEverythingShown: slowest.shown }),
    }

    /** In seconds. Each one's way back is timed from the drop, not from its own attempt. */
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
      return (performance.now() - droppedAt) / 1_000
    }

    /** In seconds: what was sent until everybody was back has its outcome and has reached its receivers. */
    async function everythingShown(droppedAt: number): Promise<number> {
      const delivery = new Delivery(history)
      const sent = history.attempts.sender.length
      while (!delivery.isSettledUpTo(sent)) {
        // What is missing for good is for the checker to say.
        if (performance.now() - droppedAt > GIVE_UP_MS) break
        await delay(LOOK_MS)
      }
      return (performance.now() - droppedAt) / 1_000
    }
  },
})
