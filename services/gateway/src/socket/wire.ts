import type { Duplex } from 'node:stream'
import * as ws from 'ws'

/**
 * The one place that goes past the public interface of ws: a frame is built once and its bytes are written to as many
 * sockets as need it. Holds as long as the server neither masks nor compresses, which is settled in edge.ts.
 */
const { Sender } = ws as unknown as {
  Sender: { frame(data: Buffer, options: { fin: boolean; opcode: number }): Buffer[] }
}
const TEXT = { fin: true, opcode: 1 }

/** The bytes of a text frame, ready for every socket. */
export function frameOf(text: string | Uint8Array): Buffer {
  const data = typeof text === 'string' ? Buffer.from(text) : Buffer.from(text.buffer, text.byteOffset, text.length)
  return Buffer.concat(Sender.frame(data, TEXT))
}

/** A socket with what this turn of the event loop has for it. */
export interface Outlet {
  readonly socket: ws.WebSocket
  out: Buffer[] | undefined
}

/** One system call a socket and turn, however many frames: what is written gathers until the turn is over. */
export class Writer {
  readonly #limitBytes: number
  readonly #onSlow: (outlet: Outlet) => void
  #outlets: Outlet[] = []

  /** `onSlow` is told of each outlet that has more than `limitBytes` waiting to be sent. */
  constructor(limitBytes: number, onSlow: (outlet: Outlet) => void) {
    this.#limitBytes = limitBytes
    this.#onSlow = onSlow
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
    if (outlet.socket.bufferedAmount > this.#limitBytes) this.#onSlow(outlet)
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

function streamOf(outlet: Outlet): Duplex {
  return (outlet.socket as unknown as { _socket: Duplex })._socket
}
