import { createLogger, systemClock } from '@qunxin/runtime'
import t from 'tap'
import { OwnWatermark } from '../../src/events/own-watermark.ts'
import { Watermarks } from '../../src/events/watermarks.ts'
import { eventually, world } from './harness.ts'

t.setTimeout(60_000)

t.test('a renewal that is never answered does not keep the next ones from being made', async (t) => {
  const w = await world()
  t.teardown(() => w.end())
  const watermarks = new Watermarks(w.db)
  let asked = 0
  let answered = 0
  const own = new OwnWatermark({
    instance: 'one',
    watermarks: {
      remove: (instance) => watermarks.remove(instance),
      async renew(instance, publishedUntil) {
        // As on a connection that falls silent.
        if (++asked === 2) await new Promise(() => {})
        const time = await watermarks.renew(instance, publishedUntil)
        answered += 1
        return time
      },
    },
    unpublishedSince: () => Number.POSITIVE_INFINITY,
    clock: systemClock,
    logger: createLogger('test', 'silent'),
  })
  await own.start()
  await eventually('a renewal after it', async () => asked > 2 && answered > 1, 30_000)
  t.equal(own.standing(), undefined)
  await own.stop()
  t.same(await w.db.collection('watermarks').find().toArray(), [])
})
