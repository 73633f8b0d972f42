import type { IncomingHttpHeaders } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { type ClientOptions, WebSocket } from 'ws'

export interface Frame {
  tag: string
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire, looked at by a test
  data: any
}

/** A client of seed B, as bare as can be. */
export class Client {
  readonly socket: WebSocket
  readonly frames: Frame[] = []
  closed: number | undefined
  /** How the handshake was refused. */
  refused: { status: number | undefined; headers: IncomingHttpHeaders; body: string } | undefined

  constructor(url: string, options: ClientOptions = {}) {
    this.socket = new WebSocket(url, options)
    this.socket.on('message', (data) => this.frames.push(JSON.parse(data.toString())))
    this.socket.on('close', (code) => {
      this.closed = code
    })
    this.socket.on('error', () => {})
    this.socket.on('unexpected-response', (_request, response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () => {
        this.refused = {
          status: response.statusCode,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }
        this.socket.terminate()
      })
    })
  }

  send(tag: string, data?: unknown): void {
    this.socket.send(JSON.stringify({ tag, data }))
  }

  of(tag: string): Frame['data'][] {
    return this.frames.filter((frame) => frame.tag === tag).map((frame) => frame.data)
  }

  /** Waits for the frame of that tag that comes as number `nth`, from 0. */
  async next(tag: string, nth = 0): Promise<Frame['data']> {
    await until(() => this.of(tag).length > nth || this.closed !== undefined, `${tag} ${nth}`)
    const found = this.of(tag)[nth]
    if (found === undefined) throw new Error(`closed with ${this.closed} before ${tag} ${nth}`)
    return found
  }

  async open(): Promise<this> {
    await until(() => this.socket.readyState !== WebSocket.CONNECTING, 'the handshake')
    return this
  }

  async code(): Promise<number> {
    await until(() => this.closed !== undefined, 'the close')
    return this.closed as number
  }

  /** Whatever was sent before has been handled once this is answered. */
  async settled(): Promise<void> {
    const before = this.of('canConnect').length
    this.send('canConnect')
    await this.next('canConnect', before)
  }

  terminate(): void {
    this.socket.terminate()
  }
}

/** Waits for a state, not for a time; gives up after ten seconds and says what for. */
export async function until(is: () => boolean | Promise<boolean>, what: string, limitMs = 10_000): Promise<void> {
  const limit = performance.now() + limitMs
  while (!(await is())) {
    if (performance.now() > limit) throw new Error(`waited in vain for ${what}`)
    await delay(5)
  }
}
