import { connect, type Socket } from 'node:net'
import { FrameReader, frameOf, opcodes } from './frames.ts'
import { handshakeEnd, handshakeOf } from './handshake.ts'

/** A gateway that stands still accepts connections and never answers. */
const HANDSHAKE_TIMEOUT_MS = 5_000
/** A server that has said goodbye closes the connection itself. */
const CLOSE_TIMEOUT_MS = 30_000
/** What a connection that broke is closed with, as browsers say it. */
const BROKE = 1006
const NO_CODE = 1005

export interface SocketHandlers {
  /** The handshake is over: frames may be sent. */
  open(): void
  text(bytes: Buffer, payload: { start: number; end: number }): void
  pong(): void
  /** Everything that was there to read has been handed over. */
  read(): void
  /** The server sent what is no frame of its kind. */
  broken(what: string): void
  /** It is gone; the last that is heard of it. */
  close(code: number, reason: string): void
}

/** One WebSocket to a gateway, for text both ways: no extensions, no fragments. */
export class WireSocket {
  readonly #socket: Socket
  readonly #handlers: SocketHandlers
  readonly #frames: FrameReader
  readonly #buffer: Buffer
  #limit: ReturnType<typeof setTimeout>
  #answer: Buffer | undefined = Buffer.alloc(0)
  #closing = { code: BROKE, reason: '' }
  #open = false

  /** `buffer` is read into: all sockets may have the same, for it is done with when `read` is told. */
  constructor({ host, port, request }: Address, buffer: Buffer, handlers: SocketHandlers) {
    this.#handlers = handlers
    this.#buffer = buffer
    this.#frames = new FrameReader({
      frame: (opcode, bytes, payload) => this.#frame(opcode, bytes, payload),
      broken: (what) => this.#broke(what),
    })
    const callback = (length: number) => {
      this.#read(length)
      return true
    }
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer, callback } })
    this.#socket.on('connect', () => this.#socket.write(request))
    // A failed connection closes as well.
    this.#socket.on('error', (error) => {
      this.#closing.reason ||= error.message
    })
    this.#socket.on('close', () => {
      clearTimeout(this.#limit)
      this.#open = false
      handlers.close(this.#closing.code, this.#closing.reason)
    })
    this.#limit = setTimeout(() => this.#refused('no answer to the handshake'), HANDSHAKE_TIMEOUT_MS)
  }

  /** Whether what is written may still arrive. */
  get open(): boolean {
    return this.#open
  }

  /** Frames as they are; the bytes are the socket's from now on. */
  write(frames: Uint8Array): void {
    if (this.#open) this.#socket.write(frames)
  }

  send(opcode: number, payload: Uint8Array): void {
    this.write(frameOf(opcode, payload))
  }

  close(code: number): void {
    const payload = Buffer.alloc(2)
    payload.writeUInt16BE(code)
    if (this.#open) this.#end(payload)
    else this.terminate()
  }

  /** Cuts it, without a word to the other side. */
  terminate(): void {
    this.#open = false
    this.#socket.destroy()
  }

  #read(length: number): void {
    if (this.#answer !== undefined) this.#shake(this.#answer, length)
    else if (this.#open) this.#frames.read(this.#buffer, 0, length)
    this.#handlers.read()
  }

  #shake(before: Buffer, length: number) {
    const answer = Buffer.concat([before, this.#buffer.subarray(0, length)])
    this.#answer = answer
    let end: number | undefined
    try {
      end = handshakeEnd(answer)
    } catch (error) {
      return this.#refused((error as Error).message)
    }
    if (end === undefined) return
    clearTimeout(this.#limit)
    this.#answer = undefined
    this.#open = true
    this.#handlers.open()
    this.#frames.read(answer, end, answer.length)
  }

  #refused(why: string): void {
    this.#closing.reason = why
    this.terminate()
  }

  #broke(what: string): void {
    this.#handlers.broken(what)
    this.terminate()
  }

  #frame(opcode: number, bytes: Buffer, payload: { start: number; end: number }): boolean {
    if (opcode === opcodes.text) this.#handlers.text(bytes, payload)
    else if (opcode === opcodes.ping) this.send(opcodes.pong, bytes.subarray(payload.start, payload.end))
    else if (opcode === opcodes.pong) this.#handlers.pong()
    else if (opcode === opcodes.close) this.#closed(bytes.subarray(payload.start, payload.end))
    else this.#broke(`a frame with opcode ${opcode}`)
    return this.#open
  }

  #closed(payload: Buffer): void {
    const code = payload.length < 2 ? NO_CODE : payload.readUInt16BE(0)
    this.#closing = { code, reason: payload.toString('utf8', 2) }
    this.#end(payload.subarray(0, 2))
  }

  #end(payload: Uint8Array): void {
    this.#open = false
    this.#socket.end(frameOf(opcodes.close, payload))
    this.#limit = setTimeout(() => this.#socket.destroy(), CLOSE_TIMEOUT_MS).unref()
  }
}

export interface Address {
  host: string
  port: number
  /** What the handshake begins with. */
  request: Buffer
}

/** Of a gateway's URL. @throws TypeError for one that is not plain HTTP */
export function addressOf(url: string): Address {
  const { protocol, hostname, port, host, pathname } = new URL(url)
  if (protocol !== 'http:' && protocol !== 'ws:')
    throw new TypeError(`${url} is for --sdk only: this client has no TLS`)
  const request = Buffer.from(handshakeOf(host, pathname === '/' ? '/ws' : pathname))
  return { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) || 80, request }
}
