import type { CloseCode } from '@qunxin/contracts'
import { every } from '@qunxin/runtime'
import { hasPersonal, pinged } from '../deliver/outstanding.ts'
import type { Receipts } from '../deliver/receipts.ts'
import type { Connection, Unheard } from './connection.ts'
import { Deadlines } from './deadlines.ts'
import { Heartbeat } from './heartbeat.ts'
import { pingOf } from './wire.ts'

const TICK_MS = 250
/** How often what was written to clients that acknowledge nothing gets a ping behind it: within 5 s (protocol §3). */
const CONFIRM_EVERY_TICKS = 8
/** What was said in groups seldomer: each message there has as many receipts as it had receivers. */
const CONFIRM_GROUPS_EVERY_TICKS = 2 * CONFIRM_EVERY_TICKS
/** More are pinged in several ticks, but no more than so many of these: nothing else is read while their pongs are. */
const PINGS_A_TICK = 500
const SPREAD_OVER_TICKS = 4

const NOT_YET = Number.POSITIVE_INFINITY

export interface LifetimesOptions {
  pingEveryMs: number
  receipts: Pick<Receipts, 'ponged'>
  unconfirmed: Set<Connection>
}

/** Everything that happens to a connection because time passes, on two timers for all of them. */
export class Lifetimes {
  readonly #receipts: Pick<Receipts, 'ponged'>
  readonly #unconfirmed: Set<Connection>
  readonly #heartbeat: Heartbeat
  readonly #deadlines = new Deadlines(Date.now())
  readonly #ticking: { stop(): void }
  #ticks = 0
  #pings = 0
  /** To be pinged, some of them in each tick. */
  #due: Connection[] = []
  #duePerTick = 0

  constructor(options: LifetimesOptions) {
    this.#receipts = options.receipts
    this.#unconfirmed = options.unconfirmed
    this.#heartbeat = new Heartbeat(options.pingEveryMs, (connections) => this.#ping(connections))
    this.#ticking = every(TICK_MS, () => this.#tick())
  }

  begin(connection: Connection, unboundUntil: number): void {
    this.#heartbeat.add(connection)
    this.limit(connection, unboundUntil)
  }

  /** It is closed at `at` (ms since 1970), unless this is called again before. */
  limit(connection: Connection, at: number): void {
    this.#deadlines.remove(connection, connection.dueAt)
    connection.dueAt = at
    this.#deadlines.add(connection, at)
  }

  end(connection: Connection): void {
    this.#heartbeat.remove(connection)
    this.#deadlines.remove(connection, connection.dueAt)
    this.#unconfirmed.delete(connection)
  }

  /** Calls back once the client has taken what is written to it up to the end of this turn: with the pong of a ping behind it. */
  whenHeard(connection: Connection, heard: (now: number) => void): void {
    const last = connection.unheard?.at(-1)
    if (last?.ping === NOT_YET) return void last.heard.push(heard)
    const asked: Unheard = { ping: NOT_YET, heard: [heard] }
    connection.unheard = [...(connection.unheard ?? []), asked]
    setImmediate(() => {
      if (!connection.open) return
      this.#ping([connection])
      asked.ping = this.#pings
    })
  }

  /** A pong came, with the number of its ping. */
  ponged(connection: Connection, number: number): void {
    connection.alive = true
    if (connection.unheard) tellHeard(connection, number)
    if (connection.outstanding) this.#receipts.ponged(connection.outstanding, number)
  }

  stop(): void {
    this.#ticking.stop()
    this.#heartbeat.stop()
  }

  #tick(): void {
    for (const connection of this.#deadlines.take(Date.now())) connection.close(codeOf(connection))
    this.#ticks += 1
    if (this.#ticks % CONFIRM_EVERY_TICKS === 0) this.#gatherDue()
    if (this.#due.length > 0) this.#ping(this.#due.splice(0, this.#duePerTick))
  }

  #gatherDue(): void {
    const withGroups = this.#ticks % CONFIRM_GROUPS_EVERY_TICKS === 0
    for (const connection of this.#unconfirmed) {
      const { outstanding } = connection
      // One whose pong is awaited keeps its place: it has more to confirm.
      if (outstanding?.pinged || !(withGroups || hasPersonal(outstanding))) continue
      this.#unconfirmed.delete(connection)
      this.#due.push(connection)
    }
    this.#duePerTick = Math.max(PINGS_A_TICK, Math.ceil(this.#due.length / SPREAD_OVER_TICKS))
  }

  /** All with the same number, so that there is one frame for them. */
  #ping(connections: readonly Connection[]): void {
    if (connections.length === 0) return
    this.#pings += 1
    const frame = pingOf(this.#pings)
    for (const connection of connections) {
      if (connection.outstanding) pinged(connection.outstanding, this.#pings)
      connection.write(frame)
    }
  }
}

function tellHeard(connection: Connection, number: number): void {
  const now = Date.now()
  const all = connection.unheard ?? []
  const left = all.filter(({ ping }) => ping > number)
  connection.unheard = left.length === 0 ? undefined : left
  for (const { ping, heard } of all) if (ping <= number) for (const call of heard) call(now)
}

function codeOf(connection: Connection): CloseCode {
  return connection.stage === 'bound' ? 4002 : 4001
}
