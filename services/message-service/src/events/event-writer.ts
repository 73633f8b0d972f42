import { hash } from 'node:crypto'
import { EVENT_LIMITS, type MessageFact } from '@qunxin/contracts'

/** An array of facts on its way to the stream. */
export interface Event {
  what: MessageFact
  payload: Uint8Array
  /** The same for the same facts in the same array, whoever publishes it. */
  id: string
  facts: number
}

const BRACKETS = 2
const COMMA = 1

/** Puts facts of one kind into as few events as their limits allow. */
export class EventWriter {
  readonly #what: MessageFact
  #facts: string[] = []
  #bytes = BRACKETS
  #users = 0

  constructor(what: MessageFact) {
    this.#what = what
  }

  /** Returns the event that is full without this fact. */
  add(fact: object, users = 0): Event | undefined {
    const text = JSON.stringify(fact)
    const bytes = Buffer.byteLength(text) + COMMA
    const isFull = this.#bytes + bytes > EVENT_LIMITS.bytes || this.#users + users > EVENT_LIMITS.offlineUsers
    const full = isFull ? this.finish() : undefined
    this.#facts.push(text)
    this.#bytes += bytes
    this.#users += users
    return full
  }

  /** What is left; undefined when that is nothing. */
  finish(): Event | undefined {
    if (this.#facts.length === 0) return undefined
    const payload = Buffer.from(`[${this.#facts.join(',')}]`)
    const id = `${this.#what}.${hash('sha1', payload, 'base64url')}`
    const event = { what: this.#what, payload, id, facts: this.#facts.length }
    this.#facts = []
    this.#bytes = BRACKETS
    this.#users = 0
    return event
  }
}
