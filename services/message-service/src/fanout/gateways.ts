import { type Bus, Live, type Subscription } from '@qunxin/bus'
import { gatewayInstance, presenceChange, subjects } from '@qunxin/contracts'
import type { Routes } from './routes.ts'

/** Listens to the gateways: which of them live, and which users come to them and go. */
export class Gateways {
  readonly live: Live
  readonly #bus: Bus
  readonly #heard: (node: string) => void
  readonly #subscriptions: Subscription[] = []
  readonly #watching: { stop(): void }

  /** `appeared` is called when a gateway is heard of that was not there before. */
  constructor(bus: Bus, calls: { appeared(): void; heard(node: string): void; left(node: string): void }) {
    this.#bus = bus
    const { appeared, heard, left } = calls
    this.#heard = heard
    let known = new Set<string>()
    this.live = new Live(() => {
      const names = this.live.names()
      if (names.some((name) => !known.has(name))) appeared()
      known = new Set(names)
    })
    this.#subscribe(subjects.gatewayInstances, (data) => {
      const { node, leaving } = gatewayInstance.parse(data)
      if (leaving) {
        this.live.left(node)
        left(node)
      } else {
        heard(node)
        this.live.heard(node)
      }
    })
    this.#watching = this.live.watch(bus)
  }

  /** From here on a bind is confirmed only after `routes` knows of it (design §4). */
  follow(routes: Routes, instance: string): void {
    this.#subscribe(subjects.presenceBind, (data, respond) => {
      const { node, users } = presenceChange.parse(data)
      this.#heard(node)
      this.live.heard(node)
      routes.bound(node, users)
      respond(JSON.stringify({ instance }))
    })
    this.#subscribe(subjects.presenceUnbind, (data) => {
      const { node, users } = presenceChange.parse(data)
      routes.unbound(node, users)
    })
  }

  stop(): void {
    this.#watching.stop()
    for (const subscription of this.#subscriptions) subscription.unsubscribe()
  }

  #subscribe(name: string, take: (data: unknown, respond: (reply: string) => void) => void): void {
    this.#subscriptions.push(
      this.#bus.subscribe(name, (message) =>
        take(JSON.parse(Buffer.from(message.data).toString()), (reply) => message.respond(reply)),
      ),
    )
  }
}
