import { connect, createServer, type Socket } from 'node:net'

const HEADER_BYTES = 16
const OP_MSG = 2013
/** The type of a field that is text. */
const STRING = 2
/** Where the name of a command begins: behind the header, 4 bytes of flags, the kind of section, a length and a type. */
const NAME_AT = HEADER_BYTES + 4 + 1 + 4 + 1

/** Stands between a service and MongoDB: counts commands by name and collection, and lets none through while it is told to wait. */
export async function countingProxy(mongoUrl: string) {
  const { hostname, port: mongoPort } = new URL(mongoUrl)
  const commands = new Map<string, number>()
  const sockets = new Set<Socket>()
  let open = true
  const server = createServer((client) => {
    const mongo = connect(Number(mongoPort), hostname)
    const count = messageCounter((name) => commands.set(name, (commands.get(name) ?? 0) + 1))
    client.on('data', (data) => {
      count(data)
      mongo.write(data)
    })
    mongo.on('data', (data) => client.write(data))
    for (const [one, other] of [
      [client, mongo],
      [mongo, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
    if (!open) client.pause()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    url: `mongodb://127.0.0.1:${port}/?directConnection=true`,
    /** Since the last reset; only those about one of these collections. */
    commandsOn: (...collections: string[]) =>
      Object.fromEntries([...commands].filter(([command]) => collections.includes(command.split(' ')[1] ?? ''))),
    reset: () => commands.clear(),
    /** Whether what services send goes on to MongoDB. */
    lets(through: boolean) {
      open = through
      for (const socket of sockets) if (socket.localPort === port) through ? socket.resume() : socket.pause()
    },
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function messageCounter(counted: (name: string) => void) {
  let rest: Buffer = Buffer.alloc(0)
  return (data: Buffer) => {
    rest = rest.length === 0 ? data : Buffer.concat([rest, data])
    while (rest.length >= HEADER_BYTES && rest.length >= rest.readInt32LE(0)) {
      const message = rest.subarray(0, rest.readInt32LE(0))
      if (message.readInt32LE(12) === OP_MSG) counted(commandIn(message))
      rest = rest.subarray(message.length)
    }
  }
}

/** Its name, and the collection if it is about one: both stand in the first field of the command. */
function commandIn(message: Buffer): string {
  const end = message.indexOf(0, NAME_AT)
  const name = message.toString('utf8', NAME_AT, end)
  if (message[NAME_AT - 1] !== STRING) return name
  const value = end + 1 + 4
  return `${name} ${message.toString('utf8', value, message.indexOf(0, value))}`
}
