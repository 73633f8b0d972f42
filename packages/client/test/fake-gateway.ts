import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'
import { type WebSocket, WebSocketServer } from 'ws'

export interface FakeConnection {
  socket: WebSocket
  /** Every frame that came, in order. */
  frames: { tag: string; data: Record<string, unknown> }[]
  /** Resolves with the next frame of that tag that nobody has taken yet. */
  next(tag: string): Promise<Record<string, unknown>>
  send(tag: string, data: unknown): void
  /** Answers getUserId. */
  bind(): Promise<Record<string, unknown>>
}

export interface FakeGateway {
  url: string
  /** Resolves with the next connection that nobody has taken yet. */
  connection(): Promise<FakeConnection>
  /** How many have come in all. */
  readonly count: number
}

/** A server that does nothing by itself: the test plays the gateway's part. */
export async function fakeGateway(t: Test): Promise<FakeGateway> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, path: '/ws' })
  await once(server, 'listening')
  t.teardown(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  const connections = mailbox<FakeConnection>()
  let count = 0
  server.on('connection', (socket) => {
    count += 1
    connections.put('', fakeConnection(socket))
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    connection: () => connections.take(''),
    get count() {
      return count
    },
  }
}

function fakeConnection(socket: WebSocket): FakeConnection {
  const inbox = mailbox<Record<string, unknown>>()
  const frames: FakeConnection['frames'] = []
  socket.on('message', (text) => {
    const frame = JSON.parse(String(text))
    frames.push(frame)
    inbox.put(frame.tag, frame.data)
  })
  const send = (tag: string, data: unknown) => socket.send(JSON.stringify({ tag, data }))
  return {
    socket,
    frames,
    next: (tag) => inbox.take(tag),
    send,
    async bind() {
      const data = await inbox.take('getUserId')
      send('bound', { userId: data.userId, sessionKey: 'k', serverTime: 1 })
      return data
    },
  }
}

function mailbox<T>() {
  const waiting = new Map<string, { kept: T[]; takers: ((item: T) => void)[] }>()
  const box = (name: string) => {
    const found = waiting.get(name) ?? { kept: [], takers: [] }
    waiting.set(name, found)
    return found
  }
  return {
    put(name: string, item: T) {
      const { kept, takers } = box(name)
      const taker = takers.shift()
      if (taker) taker(item)
      else kept.push(item)
    },
    take(name: string): Promise<T> {
      const { kept, takers } = box(name)
      return kept.length > 0 ? Promise.resolve(kept.shift() as T) : new Promise((resolve) => takers.push(resolve))
    },
  }
}
