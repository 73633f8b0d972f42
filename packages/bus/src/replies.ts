import { createInbox, type Msg, type NatsConnection } from '@nats-io/transport-node'
import { Assembly, PART_HEADER } from './parts.ts'

export type Reply = { kind: 'payload'; payload: Uint8Array } | { kind: 'noResponders' } | { kind: 'timeout' }

interface Waiting {
  take(reply: Reply): void
  assembly?: Assembly
}

/** One inbox for all replies of this process: a request is a publish and an entry in a table, no subscription of its own. */
export class Replies {
  readonly #inbox: string
  readonly #waiting = new Map<string, Waiting>()
  #next = 0

  constructor(nats: NatsConnection, inboxPrefix: string) {
    this.#inbox = createInbox(inboxPrefix)
    nats.subscribe(`${this.#inbox}.*`, { callback: (_error, message) => this.#take(message) })
  }

  /** Hands out a reply subject; `take` is called for each reply until `done()`. */
  open(take: (reply: Reply) => void): { subject: string; done(): void } {
    const token = (this.#next++).toString(36)
    this.#waiting.set(token, { take })
    return { subject: `${this.#inbox}.${token}`, done: () => this.#waiting.delete(token) }
  }

  /** The first reply, or what came of waiting `timeoutMs` for it. */
  first(publish: (replySubject: string) => void, timeoutMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const finish = (reply: Reply) => {
        clearTimeout(timer)
        inbox.done()
        resolve(reply)
      }
      const inbox = this.open(finish)
      const timer = setTimeout(finish, timeoutMs, { kind: 'timeout' } satisfies Reply)
      try {
        publish(inbox.subject)
      } catch (error) {
        clearTimeout(timer)
        inbox.done()
        reject(error)
      }
    })
  }

  #take(message: Msg): void {
    const token = message.subject.slice(this.#inbox.length + 1)
    const waiting = this.#waiting.get(token)
    if (!waiting) return
    const part = message.headers?.get(PART_HEADER)
    if (message.headers?.code === 503 && message.data.length === 0) waiting.take({ kind: 'noResponders' })
    else if (!part) waiting.take({ kind: 'payload', payload: message.data })
    else {
      waiting.assembly ??= new Assembly()
      const whole = waiting.assembly.add(part, message.data)
      if (whole) waiting.take({ kind: 'payload', payload: whole })
    }
  }
}
