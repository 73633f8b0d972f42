import { hash } from 'node:crypto'
import { ByteWriter, EVENT_LIMITS, type MessageFact } from '@qunxin/contracts'
import type { Message } from '../domain/message.ts'
import { writeFact } from './facts.ts'

/** An array of facts on its way to the stream. */
export interface Event {
  what: MessageFact
  payload: Uint8Array
  /** The same for the same facts in the same array, whoever publishes it. */
  id: string
  facts: number
}

const OPEN = 0x5b
const COMMA = 0x2c
const CLOSE = 0x5d

/** Puts facts of one kind into as few events as their limits allow. */
export class EventWriter {
  readonly #what: MessageFact
  readonly #out = new ByteWriter()
  #facts = 0
  #users = 0

  constructor(what: MessageFact) {
    this.#what = what
  }

  /** Returns the event that is full without this fact. */
  add(fact: object, users = 0): Event | undefined {
    return this.#add(users, (out) => out.text(JSON.stringify(fact)))
  }

  /** The same, of a message that was stored. */
  stored(message: Message): Event | undefined {
    return this.#add(0, (out) => writeFact(out, message))
  }

  /** What is left; undefined when that is nothing. */
  finish(): Event | undefined {
    if (this.#facts === 0) return undefined
    this.#out.byte(CLOSE)
    const payload = this.#out.copy()
    const id = `${this.#what}.${hash('sha1', payload, 'base64url')}`
    const event = { what: this.#what, payload, id, facts: this.#facts }
    this.#out.length = 0
    this.#facts = 0
    this.#users = 0
    return event
  }

  #add(users: number, write: (out: ByteWriter) => void): Event | undefined {
    const out = this.#out
    const before = out.length
    out.byte(before === 0 ? OPEN : COMMA)
    write(out)
    let full: Event | undefined
    if (before > 0 && (out.length + 1 > EVENT_LIMITS.bytes || this.#users + users > EVENT_LIMITS.offlineUsers)) {
      const fact = out.bytes.slice(before + 1, out.length)
      out.length = before
      // Another one begins with it.
      full = this.finish()
      out.byte(OPEN)
      out.put(fact)
    }
    this.#facts += 1
    this.#users += users
    return full
  }
}
