import t from 'tap'
import { type Delivery, decodeDelivery, encodeDelivery, placeDelivery } from '../src/index.ts'

t.test('a delivery comes out as it went in, its bodies byte for byte', async (t) => {
  const bodies = ['{"tag":"message","data":{"contentStr":"你好 👋"}}', '{"tag":"groupChanged"}'].map((text) =>
    Buffer.from(text),
  )
  const delivery: Delivery = {
    from: 'm1-abc',
    items: [
      { kind: 'frame', size: bodies[0]?.length ?? 0, users: ['1', '2'], except: 'c1', conversation: 'g5', seq: 7 },
      { kind: 'answer', answer: { id: 3, seq: 7, at: 1_700_000_000_000 } },
      { kind: 'frame', size: bodies[1]?.length ?? 0, users: ['9'] },
    ],
  }
  // A view into a larger buffer, as NATS hands it out.
  const encoded = encodeDelivery(delivery, bodies)
  const place = { number: 2 ** 40 + 1, oldest: 2 ** 40 - 1 }
  placeDelivery(encoded, place)
  const padded = new Uint8Array(encoded.length + 8)
  padded.set(encoded, 8)
  const decoded = decodeDelivery(padded.subarray(8))
  t.same(decoded.delivery, delivery)
  t.same(decoded.place, place)
  t.same(
    decoded.bodies.map((body) => Buffer.from(body).toString()),
    bodies.map(String),
  )
})
