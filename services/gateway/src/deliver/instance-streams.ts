import type { Bus } from '@qunxin/bus'
import {
  DEAD_AFTER_MS,
  type Delivery,
  type DeliveryConfirm,
  type DeliveryPlace,
  messageInstance,
  subjects,
} from '@qunxin/contracts'
import { every, type Logger } from '@qunxin/runtime'
import { IncomingStream } from './incoming-stream.ts'

/** Often enough that nothing is confirmed so late that the other side would tell how far its stream goes. */
const LOOK_EVERY_MS = 250
/** A look this late says that we stood still, long enough to be taken for dead. */
const LATE_MS = 1_350
/** Over a longer silence nobody's word is asked: an owner may have died with what it had for us, and its successor gone on. */
const BRIDGED_MS = 5_000
/** So long an instance may take to come back to NATS itself. */
const VOUCH_WITHIN_MS = 3_000
const FORGET_MS = 60_000
/** What an instance gives up is about as old. */
const GIVEN_UP_MS = 15_000

interface Instance {
  stream: IncomingStream
  heardAt: number
  /** Since the last doubt it has shown that it holds everything we have not had. */
  vouched: boolean
  /** It has been silent for too long, or has left. */
  gone: boolean
}

export interface InstanceStreamsOptions {
  bus: Pick<Bus, 'connected' | 'publish' | 'subscribe' | 'onReconnect'>
  node: string
  /** Something published for this node in the last so many ms is gone for good. */
  lost(forMs: number): void
  logger: Logger
}

/**
 * What every message-service instance has published for this node, taken in its order and confirmed. What got lost on the way
 * is asked for; what cannot be had any more, because its instance has died or has given it up, is `lost` (docs/adr/0011).
 */
export class InstanceStreams {
  readonly #options: InstanceStreamsOptions
  readonly #instances = new Map<string, Instance>()
  readonly #looking: { stop(): void }
  #lookedAt = performance.now()
  #heardAt = performance.now()
  /** A doubt under way: instances that live have to vouch until then, for a silence that long. */
  #doubt: { until: number; silentMs: number } | undefined

  constructor(options: InstanceStreamsOptions) {
    this.#options = options
    const { bus } = options
    bus.subscribe(subjects.messageInstances, (message) => {
      const { instance } = messageInstance.parse(message.json())
      this.#heard(instance)
    })
    bus.onReconnect(() => this.#doubted(performance.now() - this.#heardAt))
    this.#looking = every(LOOK_EVERY_MS, () => this.#look())
  }

  /** Whether to take a delivery now. Called before anything of it is shown. */
  take({ from, items }: Delivery, place: DeliveryPlace, bytes: number): boolean {
    const one = this.#heard(from)
    const { stream } = one
    if (stream.missed(place)) this.#lost(GIVEN_UP_MS, `${from} has given up deliveries`)
    one.vouched = true
    const isMark = items.length === 0
    if (isMark) stream.exists(place.number)
    else if (stream.take(place, bytes)) {
      this.#confirm(stream, false)
      return true
    }
    if (stream.incomplete && place.number >= stream.next) this.#ask(stream, true)
    else if (isMark) this.#confirm(stream, true)
    return false
  }

  /** Confirms whatever has come. */
  confirm(): void {
    if (this.#options.bus.connected) for (const { stream } of this.#instances.values()) this.#confirm(stream, true)
  }

  stop(): void {
    this.#looking.stop()
  }

  #heard(instance: string): Instance {
    const now = performance.now()
    this.#heardAt = now
    let one = this.#instances.get(instance)
    if (one) {
      one.heardAt = now
      one.gone = false
      return one
    }
    one = { stream: new IncomingStream(instance), heardAt: now, vouched: true, gone: false }
    this.#instances.set(instance, one)
    // It may have been there while we were away, and have left us out.
    if (this.#doubt) this.#lost(this.#doubt.silentMs, `${instance} has come meanwhile`)
    return one
  }

  #look(): void {
    const now = performance.now()
    const late = now - this.#lookedAt - LOOK_EVERY_MS
    this.#lookedAt = now
    const { bus } = this.#options
    if (late > LATE_MS) {
      // What the others said meanwhile is still to be read.
      for (const one of this.#instances.values()) if (!one.gone) one.heardAt = now
      this.#doubted(late)
    }
    if (!bus.connected) return
    if (this.#doubt) this.#vouching(this.#doubt, now)
    else this.#bury(now)
    for (const { stream } of this.#instances.values()) {
      if (stream.incomplete) this.#ask(stream)
      else this.#confirm(stream, true)
    }
  }

  /** We have heard nobody for so long: who lived before has to say that nothing is missing. */
  #doubted(silentMs: number) {
    if (silentMs > BRIDGED_MS) return this.#lost(silentMs, 'nobody was heard for long')
    const now = performance.now()
    this.#doubt = { until: now + VOUCH_WITHIN_MS, silentMs }
    // Who was silent before we were has nothing to say.
    for (const one of this.#instances.values()) one.vouched = now - one.heardAt > silentMs + DEAD_AFTER_MS
    this.#vouching(this.#doubt, now)
  }

  #vouching(doubt: { until: number; silentMs: number }, now: number): void {
    const silent = [...this.#instances.values()].filter(({ vouched }) => !vouched)
    if (silent.length === 0) {
      // An instance that came meanwhile says so within that time.
      if (now >= doubt.until - VOUCH_WITHIN_MS + DEAD_AFTER_MS / 2) this.#doubt = undefined
    } else if (now < doubt.until) for (const { stream } of silent) this.#ask(stream)
    else this.#lost(doubt.silentMs, `${silent.map(({ stream }) => stream.instance).join(', ')} did not vouch`)
  }

  #bury(now: number): void {
    for (const [instance, one] of this.#instances) {
      const silent = now - one.heardAt
      if (silent > FORGET_MS) this.#instances.delete(instance)
      if (silent < DEAD_AFTER_MS || one.gone) continue
      one.gone = true
      if (one.stream.incomplete) this.#lost(silent, `${instance} is gone with deliveries that did not come`)
    }
  }

  #lost(forMs: number, why: string): void {
    this.#doubt = undefined
    this.#options.logger.warn({ why }, 'deliveries are lost, reading what was missed')
    this.#options.lost(forMs)
  }

  #confirm(stream: IncomingStream, all: boolean): void {
    const confirmed = stream.toConfirm(all)
    if (confirmed !== undefined) this.#say(stream, { confirmed })
  }

  #ask(stream: IncomingStream, further = false): void {
    const confirmed = stream.toAsk(performance.now(), further)
    if (confirmed !== undefined) this.#say(stream, { confirmed, again: true })
  }

  #say({ instance }: IncomingStream, what: Omit<DeliveryConfirm, 'node'>): void {
    const confirm: DeliveryConfirm = { node: this.#options.node, ...what }
    this.#options.bus.publish(subjects.messageConfirm(instance), JSON.stringify(confirm))
  }
}
