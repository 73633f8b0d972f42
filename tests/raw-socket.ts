import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { WebSocket } from 'ws'

const PATIENCE_MS = 20_000

// biome-ignore lint/suspicious/noExplicitAny: what a server sent is looked at by assertions, field by field.
export type Data = any

export interface Frame {
  tag: string
  data: Data
}

/** A client as it may be written in any language: frames out, frames in, nothing done by itself. */
export class RawSocket {
  readonly socket: WebSocket
  /** All that came, in order. */
  readonly frames: Frame[] = []
  /** The code the server closed with. */
  readonly closed: Promise<{ code: number; reason: string }>
  readonly #untaken: Frame[] = []
  readonly #looking = new Set<() => void>()

  constructor(socket: WebSocket) {
    this.socket = socket
    this.closed = new Promise((resolve) =>
      socket.once('close', (code, reason) => resolve({ code, reason: String(reason) })),
    )
    socket.on('error', () => {})
    socket.on('message', (text) => {
      const frame: Frame = JSON.parse(String(text))
      this.frames.push(frame)
      this.#untaken.push(frame)
      for (const look of this.#looking) look()
    })
  }

  static async open(
    url: string,
    options: { token?: string; headers?: Record<string, string> } = {},
  ): Promise<RawSocket> {
    const address = new URL('/ws', url.replace('http', 'ws'))
    if (options.token !== undefined) address.searchParams.set('accessToken', options.token)
    const raw = new RawSocket(new WebSocket(address, { headers: options.headers ?? {} }))
    await once(raw.socket, 'open')
    return raw
  }

  send(tag: string, data?: unknown): void {
    this.socket.send(JSON.stringify({ tag, data }))
  }

  /** The first frame of that tag that has not been taken yet. */
  next(tag: string, fits: (data: Data) => boolean = () => true): Promise<Data> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const at = this.#untaken.findIndex((frame) => frame.tag === tag && fits(frame.data))
        if (at < 0) return
        clearTimeout(timer)
        this.#looking.delete(look)
        resolve(this.#untaken.splice(at, 1)[0]?.data)
      }
      const timer = setTimeout(() => {
        this.#looking.delete(look)
        const came = this.frames.slice(-5).map((frame) => JSON.stringify(frame))
        reject(new Error(`no ${tag} came; the last frames were ${came.join(' ') || 'none'}`))
      }, PATIENCE_MS)
      this.#looking.add(look)
      look()
    })
  }

  /** Sends a request and waits for the answer with its taskId. */
  ask(tag: string, data: Record<string, unknown> = {}): Promise<Data> {
    const taskId = randomUUID()
    this.send(tag, { ...data, taskId })
    return this.next(tag, (answer) => answer?.taskId === taskId)
  }

  /** Sends `message` and waits for its acknowledgement or refusal. */
  async message(data: Record<string, unknown>): Promise<Data> {
    const msgId = data.msgId ?? randomUUID()
    this.send('message', { msgContentType: '1', sessionId: '', contentStr: 'hello', ...data, msgId })
    return this.next('messageAck', (ack) => ack.msgId === msgId)
  }

  /** Texts of the messages that came, in order. */
  get texts(): string[] {
    return this.frames.flatMap(({ tag, data }) => (tag === 'message' ? [data.contentStr] : []))
  }

  async close(): Promise<void> {
    this.socket.close()
    await this.closed
  }
}
