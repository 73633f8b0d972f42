import t from 'tap'
import { Connection } from '../../src/socket/connection.ts'
import { drainConnections } from '../../src/socket/drain.ts'
import { Writer } from '../../src/socket/wire.ts'

/** A bound connection whose socket only takes what is done to it. */
function boundConnection() {
  const open = new Set<Connection>()
  const codes: number[] = []
  const shared = {
    writer: new Writer({ each: 1024, all: 1024 }),
    unconfirmed: new Set<Connection>(),
    ended: (connection: Connection) => void open.delete(connection),
  }
  const socket = { close: (code: number) => codes.push(code) } as unknown as Connection['socket']
  const connection = new Connection(socket, { language: 'zh', handshake: undefined, shared })
  connection.stage = 'bound'
  open.add(connection)
  return { connection, open, codes }
}

t.test(
  'what still comes from a client that was closed with its last answer is done, as from one that had nothing open',
  async (t) => {
    const { connection, open, codes } = boundConnection()
    connection.waits(10)
    const drained = drainConnections(open, new Set())
    t.equal(connection.leaving, true)
    t.equal(connection.open, true, 'its send is waited for')
    connection.settled(10)
    t.same(codes, [1001])
    await drained
    t.equal(connection.leaving, true)
    t.same(codes, [1001])
  },
)
