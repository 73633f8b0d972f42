import type { Duplex } from 'node:stream'
import * as ws from 'ws'

const LOOK_AT_LEAST = 100
/** RFC 6455 §5.2: the last fragment, of text. */
const FINAL_TEXT = 0x81
/** The same of a ping. */
const FINAL_PING = 0x89
/** Up to this length is told in the second byte itself, above it two bytes or eight follow. */
const SHORT = { most: 125, two: 126, eight: 127 }

/**
 * The bytes of a text frame, built once and written to as many sockets as need it, past ws: the server neither masks nor
 * compresses.
 */
export function frameOf(text: string | Uint8Array): Buffer {
  const length = typeof text === 'string' ? Buffer.byteLength(text) : text.length
  const head = length <= SHORT.most ? 2 : length <= 0xffff ? 4 : 10
  const frame = Buffer.allocUnsafe(head + length)
  frame[0] = FINAL_TEXT
  if (head === 2) frame[1] = length
  else if (head === 4) {
    frame[1] = SHORT.two
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = SHORT.eight
    frame.writeBigUInt64BE(BigInt(length), 2)
  }
  if (typeof text === 'string') frame.write(text, head)
  else frame.set(text, head)
  return frame
}

/** The bytes of a ping with a number, ready for every socket: what is written before it has arrived when its pong comes. */
export function pingOf(number: number): Buffer {
  const text = String(number)
  return Buffer.from([FINAL_PING, text.length, ...Buffer.from(text)])
}

/** A socket with what this turn of the event loop has for it. */
export interface Outlet {
  readonly socket: ws.WebSocket
  out: Buffer[] | undefined
  /** It reads too slowly: to be closed. */
  overrun(): void
}

/** One system call a socket and turn, however many frames: what is written gathers until the turn is over. */
export class Writer {
  readonly #limits: { each: number; all: number }
  #outlets: Outlet[] = []
  /** Those that have not taken everything, with what was left when last looked at, closed ones until it is gone. */
  readonly #behind = new Map<Outlet, number>()
  #behindBytes = 0
  /** So many behind are worth a look at who has caught up, or is gone: each is looked at a few times in all. */
  #lookAgainAt = LOOK_AT_LEAST

  /** What may wait to be sent, in bytes, of each outlet and of all together; above it the slowest are overrun. */
  constructor(limits: { each: number; all: number }) {
    this.#limits = limits
  }

  /** What waits to be sent, in bytes. */
  get unreadBytes(): number {
    this.#lookAgain()
    return this.#behindBytes
  }

  write(outlet: Outlet, frame: Buffer): void {
    if (outlet.socket.readyState !== ws.WebSocket.OPEN) return
    if (outlet.out) return void outlet.out.push(frame)
    outlet.out = [frame]
    if (this.#outlets.push(outlet) === 1) setImmediate(() => this.#flushAll())
  }

  /** Writes what has gathered for this one now; to be called before ws itself writes (close, ping). */
  flush(outlet: Outlet): void {
    const frames = outlet.out
    if (!frames) return
    outlet.out = undefined
    if (outlet.socket.readyState !== ws.WebSocket.OPEN) return
    streamOf(outlet).write(frames.length === 1 ? frames[0] : Buffer.concat(frames))
    const left = outlet.socket.bufferedAmount
    if (left === 0 && !this.#behind.has(outlet)) return
    this.#note(outlet, left)
    if (this.#behind.size >= this.#lookAgainAt) this.#lookAgain()
    if (left > this.#limits.each) outlet.overrun()
    if (this.#behindBytes > this.#limits.all) this.#relieve()
  }

  #note(outlet: Outlet, left: number): void {
    this.#behindBytes += left - (this.#behind.get(outlet) ?? 0)
    if (left === 0) this.#behind.delete(outlet)
    else this.#behind.set(outlet, left)
  }

  /** What has been read since is noticed only here: nobody tells. */
  #lookAgain(): void {
    for (const outlet of this.#behind.keys()) this.#note(outlet, isGone(outlet) ? 0 : outlet.socket.bufferedAmount)
    this.#lookAgainAt = Math.max(LOOK_AT_LEAST, 2 * this.#behind.size)
  }

  /** The slowest go until half of the room is free; who is being closed already and still takes nothing is cut off. */
  #relieve(): void {
    this.#lookAgain()
    if (this.#behindBytes <= this.#limits.all) return
    let left = this.#behindBytes
    for (const [outlet, bytes] of [...this.#behind].sort(([, one], [, other]) => other - one)) {
      if (left <= this.#limits.all / 2) return
      if (outlet.socket.readyState === ws.WebSocket.OPEN) outlet.overrun()
      else outlet.socket.terminate()
      left -= bytes
    }
  }

  /** Resolves when everything written so far has left this process, or the socket is gone. */
  drained(outlet: Outlet): Promise<void> {
    this.flush(outlet)
    const stream = streamOf(outlet)
    if (outlet.socket.readyState !== ws.WebSocket.OPEN || stream.writableLength === 0) return Promise.resolve()
    return new Promise((resolve) => stream.write(Buffer.alloc(0), () => resolve()))
  }

  #flushAll(): void {
    const outlets = this.#outlets
    this.#outlets = []
    for (const outlet of outlets) this.flush(outlet)
  }
}

function isGone({ socket }: Outlet): boolean {
  return socket.readyState === ws.WebSocket.CLOSED
}

function streamOf(outlet: Outlet): Duplex {
  return (outlet.socket as unknown as { _socket: Duplex })._socket
}
