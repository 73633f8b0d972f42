import { type Bound, getUserId, type UserId } from '@qunxin/contracts'
import { connectionId } from '@qunxin/presence'
import { AppError, toAppError, validate } from '@qunxin/runtime'
import type { Authenticator } from '../auth/authenticator.ts'
import type { Principal } from '../auth/principal.ts'
import { Held } from '../deliver/held.ts'
import type { Connection } from './connection.ts'
import type { Incoming } from './incoming.ts'
import { tellError } from './refusals.ts'

interface Asked {
  userId: UserId
  accessToken?: string | undefined
  sync?: boolean | undefined
}

export interface BindingOptions {
  authenticator: Authenticator
  /** The connection has its user: makes it findable here. What comes for it from now on is held. */
  register(connection: Connection): void
  /** Resolves when messages from everywhere find it. */
  findable(connection: Connection): Promise<void>
  /** It stays without a user and may try again: what waited is answered so. */
  unbound(connection: Connection): void
  /** `bound` has been told: lets go what was held, the backlog first for a client that knows only the seeds. */
  ready(connection: Connection, sync: boolean): void
  /** It lives by a newer token now. */
  extended(connection: Connection, principal: Principal): void
}

/** Seed B, getUserId: from a socket to a user's socket. */
export class Binding {
  readonly #options: BindingOptions

  constructor(options: BindingOptions) {
    this.#options = options
  }

  /** On a socket without a user: a refusal ends it, but one without a valid id. */
  async first(connection: Connection, incoming: Incoming): Promise<void> {
    const asked = read(connection, incoming)
    if (!asked) return
    connection.stage = 'binding'
    try {
      connection.principal = await this.#prove(connection, asked)
    } catch (error) {
      return this.#refuse(connection, incoming, toAppError(error))
    }
    if (!connection.open) return
    connection.id = connectionId()
    connection.userId = asked.userId
    connection.held = new Held()
    connection.handshake = undefined
    this.#options.register(connection)
    await this.#options.findable(connection)
    if (!connection.open) return
    connection.stage = 'bound'
    tellBound(connection)
    this.#options.ready(connection, asked.sync === true)
  }

  /** On a bound socket: a newer token of the same user extends it; whatever is refused changes nothing. */
  async again(connection: Connection, incoming: Incoming): Promise<void> {
    const asked = read(connection, incoming)
    if (!asked) return
    const before = connection.principal
    if (!before || asked.userId !== connection.userId) return tellError(connection, 'FORBIDDEN', incoming)
    try {
      if (asked.accessToken !== undefined) {
        const principal = await this.#prove(connection, asked)
        if (!connection.open) return
        if (connection.principal && principal.expiresAt > connection.principal.expiresAt) {
          connection.principal = principal
          this.#options.extended(connection, principal)
        }
      }
      tellBound(connection)
    } catch (error) {
      tellError(connection, toAppError(error).code, incoming)
    }
  }

  async #prove(connection: Connection, { userId, accessToken }: Asked): Promise<Principal> {
    const principal =
      accessToken === undefined ? connection.handshake : await this.#options.authenticator.verify(accessToken)
    if (!principal || principal.expiresAt <= Date.now()) throw new AppError('UNAUTHENTICATED')
    if (principal.userId !== userId) throw new AppError('FORBIDDEN')
    return principal
  }

  #refuse(connection: Connection, incoming: Incoming, { code }: AppError): void {
    if (!connection.open) return
    tellError(connection, code, incoming)
    connection.stage = 'unbound'
    // When the keys cannot be had the token may be good: the client may try again until its time is over.
    if (code === 'UNAUTHENTICATED' || code === 'FORBIDDEN') connection.close(4001)
    else this.#options.unbound(connection)
  }
}

function read(connection: Connection, incoming: Incoming): Asked | undefined {
  try {
    return validate(getUserId, incoming.data)
  } catch (error) {
    tellError(connection, toAppError(error).code, incoming)
    return undefined
  }
}

function tellBound(connection: Connection): void {
  const bound: Bound = { userId: Number(connection.userId), sessionKey: connection.id, serverTime: Date.now() }
  connection.tell('bound', bound)
}
