import t from 'tap'
import { type Delivery, decodeDelivery, encodeDelivery, type FrameItem, placeDelivery } from '../src/index.ts'

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

const BODY = Buffer.from('{}')
const frame = (fields: Partial<FrameItem>): FrameItem => ({
  kind: 'frame',
  size: BODY.length,
  users: ['1', '2'],
  ...fields,
})

t.test('items come out as they went in, whatever stands before them', async (t) => {
  const pair = { conversation: 'p1-2', except: 'c1' }
  const items: Delivery['items'] = [
    { kind: 'answer', answer: { id: 1, seq: 7, at: 5 } },
    frame({ ...pair, seq: 7 }),
    { kind: 'answer', answer: { id: 2, seq: 7, at: 1_700_000_000_000 } },
    frame({ ...pair, seq: 8 }),
    { kind: 'answer', answer: { id: 3, seq: 8, at: 1_700_000_000_001, duplicate: true } },
    frame({ ...pair, seq: 9 }),
    { kind: 'answer', answer: { id: 4, code: 'RATE_LIMITED', details: { retryAfterMs: 3, why: '慢' } } },
    frame({ ...pair, seq: 11 }),
    frame({ ...pair, seq: 12, users: ['1'] }),
    frame({ ...pair, seq: 13, except: 'c2' }),
    frame({ conversation: 'p1-2', seq: 14 }),
    frame({ conversation: 'p1-2', seq: 15, again: { from: '1', msgId: '信"1' } }),
    frame({ conversation: 'p1-2', seq: 16 }),
    frame({ conversation: 'p1-3', seq: 17 }),
    frame({ conversation: 'p1-3', cursor: { of: '1', delivered: 3, read: 2 } }),
    frame({}),
    frame({}),
    { kind: 'answer', answer: { id: 5, seq: 17, at: 6 } },
  ]
  const bodies = items.flatMap(({ kind }) => (kind === 'frame' ? [BODY] : []))
  t.same(decodeDelivery(encodeDelivery({ from: 'm1', items }, bodies)).delivery, { from: 'm1', items })
})

t.test('a delivery without items is one', async (t) => {
  t.same(decodeDelivery(encodeDelivery({ from: 'm1', items: [] }, [])).delivery, { from: 'm1', items: [] })
})

t.test('what is no delivery is refused', async (t) => {
  const of = (header: string) => {
    const bytes = new Uint8Array(20 + header.length)
    new DataView(bytes.buffer).setUint32(16, header.length)
    bytes.set(Buffer.from(header), 20)
    return bytes
  }
  const headers = [
    '',
    '{',
    'null',
    '{"from":"m1","items":[]}',
    '[1]',
    '["m1",9]',
    '["m1",null]',
    '["m1",1,5]',
    '["m1",3,1,2]',
    '["m1",0,5]',
  ]
  for (const header of [...headers, '["m1",0,5,"1",null,null,null,null]', '["m1",4]', '["m1",4,null]'])
    t.throws(() => decodeDelivery(of(header)), header)
  for (const length of [0, 3, 19]) t.throws(() => decodeDelivery(new Uint8Array(length)))
})
