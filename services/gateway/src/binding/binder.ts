import type { Bus } from '@qunxin/bus'
import {
  ANNOUNCE_EVERY_MS,
  type closeCodes,
  type GatewayControl,
  type PresenceChange,
  presenceConfirmed,
  subjects,
  type UserId,
} from '@qunxin/contracts'
import type { Registry } from '@qunxin/presence'
import type { Logger } from '@qunxin/runtime'
import { Pace } from '../pace.ts'
import type { MessageInstances } from './message-instances.ts'

/** No client waits longer for its binding because a message-service instance does not answer. */
const CONFIRM_MS = 300
const TELL_EVERY_MS = 10
const TOO_MANY = 4009 satisfies keyof typeof closeCodes

export interface BinderOptions {
  bus: Pick<Bus, 'connected' | 'publish' | 'gather' | 'onReconnect'>
  node: string
  registry: Registry
  instances: Pick<MessageInstances, 'sending' | 'onChanged'>
  /** Has this user a connection on this node? */
  isHere(user: UserId): boolean
  logger: Logger
}

/**
 * Makes a user findable (design §4): Redis is written, then every live message-service instance is told and confirms. Only
 * then is the client told that it is bound; otherwise a message committed just after could miss the new device.
 */
export class Binder {
  readonly #options: BinderOptions
  /** Whom the next round tells of, and who waits for it. */
  #users = new Set<UserId>()
  #waiting: (() => void)[] = []
  readonly #pace = new Pace(TELL_EVERY_MS)
  #telling = false
  /** Users not every instance has confirmed, as a cached absence may still hide them; and who waits until they are. */
  readonly #unconfirmed = new Map<UserId, PromiseWithResolvers<void>>()
  readonly #gone = new Set<UserId>()
  #retry: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: BinderOptions) {
    this.#options = options
    options.bus.onReconnect(() => this.#tellAgain())
  }

  /** Resolves when messages find the connection, or after 300 ms. The user's oldest connections above the limit are closed. */
  async arrived(user: UserId, conn: string): Promise<void> {
    const { excess } = await this.#options.registry.add(user, conn)
    if (this.#stopped) return
    for (const { conn: oldest, node } of excess) {
      const order: GatewayControl = { kind: 'closeConnection', conn: oldest, code: TOO_MANY }
      this.#options.bus.publish(subjects.gatewayControl(node), JSON.stringify(order))
    }
    await new Promise<void>((resolve) => {
      this.#users.add(user)
      this.#waiting.push(resolve)
      void this.#tell()
    })
  }

  /**
   * Behind {@link arrived}: undefined when every live instance knows where the user is, else resolves when they do. What is
   * committed from then on comes here, and what was before is in the log.
   */
  unconfirmed(user: UserId): Promise<void> | undefined {
    return this.#unconfirmed.get(user)?.promise
  }

  left(user: UserId, conn: string): void {
    void this.#options.registry.remove(user, conn)
    if (this.#options.isHere(user)) return
    if (this.#gone.size === 0) setImmediate(() => this.#tellGone())
    this.#gone.add(user)
  }

  /** From here on nobody is told of anything: the bus may be closed. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#retry)
  }

  /** One round under way; who comes meanwhile goes with the next. */
  async #tell(): Promise<void> {
    if (this.#telling) return
    this.#telling = true
    while (this.#users.size > 0) {
      await this.#pace.next()
      const users = [...this.#users]
      const waiting = this.#waiting
      this.#users = new Set()
      this.#waiting = []
      if (await this.#allConfirm(users)) for (const user of users) this.#settle(user)
      else this.#tellLater(users)
      for (const resolve of waiting) resolve()
    }
    this.#telling = false
  }

  async #allConfirm(users: readonly UserId[]): Promise<boolean> {
    const { bus, node, instances, logger } = this.#options
    if (this.#stopped || !bus.connected) return false
    const change: PresenceChange = { node, users: [...users] }
    const replies = await bus.gather(subjects.presenceBind, JSON.stringify(change), {
      enough: (replies) => instances.sending.size > 0 && replies.length >= instances.sending.size,
      timeoutMs: CONFIRM_MS,
    })
    const confirmedBy = new Set(replies.map(instanceOf))
    const silent = [...instances.sending].filter((instance) => !confirmedBy.has(instance))
    if (silent.length > 0) logger.warn({ users: users.length, silent }, 'a binding was not confirmed, telling again')
    return silent.length === 0
  }

  #settle(user: UserId): void {
    this.#unconfirmed.get(user)?.resolve()
    this.#unconfirmed.delete(user)
  }

  #tellLater(users: readonly UserId[]): void {
    for (const user of users) if (!this.#unconfirmed.has(user)) this.#unconfirmed.set(user, Promise.withResolvers())
    if (!this.#stopped) this.#retry ??= setTimeout(() => this.#tellAgain(), ANNOUNCE_EVERY_MS).unref()
  }

  #tellAgain(): void {
    clearTimeout(this.#retry)
    this.#retry = undefined
    for (const user of this.#unconfirmed.keys()) {
      if (this.#options.isHere(user)) this.#users.add(user)
      else this.#settle(user)
    }
    void this.#tell()
  }

  #tellGone(): void {
    const { bus, node, isHere } = this.#options
    const users = [...this.#gone].filter((user) => !isHere(user))
    this.#gone.clear()
    if (this.#stopped || users.length === 0 || !bus.connected) return
    const change: PresenceChange = { node, users }
    bus.publish(subjects.presenceUnbind, JSON.stringify(change))
  }
}

/** Who confirmed; undefined when the reply says nothing of the kind. */
function instanceOf(reply: Uint8Array): string | undefined {
  try {
    const text = Buffer.from(reply.buffer, reply.byteOffset, reply.length).toString()
    return presenceConfirmed.parse(JSON.parse(text)).instance
  } catch {
    return undefined
  }
}
