import { setTimeout as delay } from 'node:timers/promises'
import { Delivery } from '../check/delivery.ts'
import { Owed } from '../check/owed.ts'
import type { RunClient } from '../clients/run-client.ts'
import type { LatencyRecorder } from '../measure/latency.ts'
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
          const owed = new Owed(history)
          for (const client of fleet.clients) client.drop()
          const back = await everybodyBack(droppedAt, owed)
          const shown = await everythingShown(droppedAt)
          slowest.back = Math.max(slowest.back, back)
          slowest.shown = Math.max(slowest.shown, shown)
          const text = `all ${fleet.clients.length} back after ${back.toFixed(1)} s, everything shown after ${shown.toFixed(1)} s`
          progress(`drop ${drop}: ${text}`)
        }
      },
      stop: async () => void (await Promise.all(paces.map((pace) => pace.stop()))),
      figures: () => ({
        secondsUntilAllBack: slowest.back,
        secondsUntilEverythingShown: slowest.shown,
        ...percentiles('back', watcher.latencies.back),
        ...percentiles('synced', watcher.latencies.synced),
      }),
    }

    /**
     * In seconds, until all are bound. Each is timed from the drop, not from its own attempt: until it is bound, and until it has
     * all that was sent before.
     */
    async function everybodyBack(droppedAt: number, owed: Owed): Promise<number> {
      const behind = new Set(fleet.clients)
      const missesNothing = new Set(fleet.clients.filter(({ index }) => owed.isShownTo(index)))
      const back = new Set<RunClient>()
      // A socket that was cut says so a moment later.
      await delay(0)
      while (behind.size > 0) {
        const now = performance.now()
        // What is missing for good is for the checker to say.
        if (now - droppedAt > GIVE_UP_MS && back.size === fleet.clients.length) break
        if (now - droppedAt > GIVE_UP_MS)
          throw new Error(`${fleet.clients.length - back.size} clients did not come back`)
        for (const client of behind) {
          if (!client.boundSince(droppedAt)) continue
          if (!back.has(client)) watcher.record('back', droppedAt, client.boundAt)
          back.add(client)
          if (!owed.isShownTo(client.index)) continue
          behind.delete(client)
          watcher.record('synced', droppedAt, missesNothing.has(client) ? client.boundAt : now)
        }
        await delay(LOOK_MS)
      }
      const last = fleet.clients.reduce((latest, { boundAt }) => Math.max(latest, boundAt), droppedAt)
      return (last - droppedAt) / 1_000
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

/** Of what each client was timed by, in milliseconds. */
function percentiles(what: string, recorder?: LatencyRecorder): Record<string, number> {
  const of = [50, 95, 99].map((percentile) => [`${what}P${percentile}Ms`, recorder?.at(percentile) ?? 0])
  return Object.fromEntries(of)
}
