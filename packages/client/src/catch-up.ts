import type { MsgModel, OutputOf, SyncPosition, sync } from '@qunxin/contracts'
import { CallError } from './call-error.ts'
import { type ConversationName, keyOf } from './conversation-name.ts'
import type { Events } from './events.ts'
import type { Position } from './options.ts'
import type { Standing, Standings } from './standings.ts'

export type SyncCall = (positions: readonly Position[], newAfter: string | undefined) => Promise<OutputOf<typeof sync>>

/** Positions one call may name. */
const AT_ONCE = 500
const RETRY_FIRST_MS = 500
const RETRY_LONGEST_MS = 5_000
/** Live messages wait no longer for what came before them while the server cannot be asked; those of one conversation … */
const HOLD_MS = 10_000
/** … may be so many. */
const MOST_HELD = 1_000

export interface CatchUpOptions {
  call: SyncCall
  standings: Standings
  /** The application has told where it was: from the first connection on there is something to catch up with. */
  resumed: boolean
  /** Gives a message to the application, unless it has had it. */
  give(message: MsgModel): void
  events: Pick<Events, 'emit'>
}

interface Behind {
  readonly standing: Standing
  /** Live messages that came meanwhile; undefined when they wait no longer. */
  held: MsgModel[] | undefined
}

/** Of one connection. */
interface Round {
  /** Nothing is new to an application that begins here: it is only learned where each conversation stands. */
  readonly quiet: boolean
  /** The page of new conversations to ask for. */
  newPage: { after: string | undefined } | undefined
  asking: boolean
  failures: number
  /** The server does not know how to sync, or does not want to. */
  refused: boolean
}

/**
 * What came while there was no connection, or got lost on it, is asked for behind what the application has been given. Live
 * messages of such a conversation wait meanwhile.
 */
export class CatchUp {
  readonly #options: CatchUpOptions
  readonly #behind = new Map<string, Behind>()
  /**
   * Until all pages of new conversations have come, over however many connections: those known before, and those told of since.
   * What came before the first live message of any other is still to be told of.
   */
  #told: Set<string> | undefined
  #round: Round | undefined
  #begun: boolean
  #holding: ReturnType<typeof setTimeout> | undefined
  #pause: ReturnType<typeof setTimeout> | undefined

  constructor(options: CatchUpOptions) {
    this.#options = options
    this.#begun = options.resumed
  }

  /** A connection is there. */
  begin(): void {
    this.end()
    const standings = this.#options.standings.all()
    if (this.#begun) this.#told ??= new Set(standings.map(({ key }) => key))
    for (const standing of standings)
      if (this.isFollowed(standing)) this.#behind.set(standing.key, { standing, held: [] })
    this.#round = { quiet: !this.#begun, newPage: { after: undefined }, asking: false, failures: 0, refused: false }
    this.#begun = true
    this.#ask(this.#round)
  }

  /** It got lost: what waits will come again. */
  end(): void {
    clearTimeout(this.#holding)
    clearTimeout(this.#pause)
    this.#holding = undefined
    this.#round = undefined
    this.#behind.clear()
  }

  /** Has the application been given, or told of, everything up to where the conversation stands? */
  isFollowed({ key }: Standing): boolean {
    return !this.#told || this.#told.has(key)
  }

  /** Returns whether a live message waits here: its conversation is being caught up with, or it came behind a hole. */
  keeps(name: ConversationName, message: MsgModel): boolean {
    const behind = this.#behind.get(keyOf(name))
    if (behind) {
      behind.held?.push(message)
      if (behind.held && behind.held.length > MOST_HELD) this.#letGo(behind)
      return behind.held !== undefined
    }
    const round = this.#round
    const standing = this.#options.standings.of(name)
    if (!round || round.refused || !standing || message.seq <= standing.given.contiguous + 1) return false
    // Asked for by name it would not be told of as new.
    if (!this.isFollowed(standing)) return false
    this.#behind.set(standing.key, { standing, held: [message] })
    this.#ask(round)
    return true
  }

  #ask(round: Round): void {
    if (!this.#holding) this.#hold()
    if (round.asking) return
    round.asking = true
    void this.#askAll(round)
  }

  #hold(): void {
    clearTimeout(this.#holding)
    this.#holding = setTimeout(() => {
      this.#holding = undefined
      for (const behind of this.#behind.values()) this.#letGo(behind)
    }, HOLD_MS)
  }

  async #askAll(round: Round): Promise<void> {
    while (this.#behind.size > 0 || round.newPage) {
      const asked = [...this.#behind.values()].slice(0, AT_ONCE)
      const heldBefore = asked.map(({ held }) => held?.length ?? 0)
      const positions = asked.map(({ standing: { name, given } }) => ({ ...name, seq: given.contiguous }))
      let answer: OutputOf<typeof sync> | undefined
      try {
        answer = await this.#options.call(positions, round.newPage?.after)
      } catch (error) {
        round.refused = error instanceof CallError && !error.retryable
      }
      if (round !== this.#round) return
      if (round.refused) break
      const moved = answer !== undefined && this.#take(round, { answer, asked, heldBefore })
      // A listener may have closed the client.
      if (round !== this.#round) return
      if (moved) {
        round.failures = 0
        this.#hold()
      } else await this.#wait(round)
      if (round !== this.#round) return
    }
    round.asking = false
    clearTimeout(this.#holding)
    this.#holding = undefined
    const left = [...this.#behind.values()]
    this.#behind.clear()
    for (const behind of left) this.#letGo(behind)
  }

  #wait(round: Round): Promise<void> {
    const pauseMs = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** round.failures++)
    return new Promise((resolve) => {
      this.#pause = setTimeout(resolve, pauseMs / 2 + (Math.random() * pauseMs) / 2)
    })
  }

  /** Returns whether it brought anything. */
  #take(
    round: Round,
    { answer, asked, heldBefore }: { answer: OutputOf<typeof sync>; asked: readonly Behind[]; heldBefore: number[] },
  ): boolean {
    let moved = this.#takeNew(round, answer)
    for (const [i, position] of answer.positions.entries()) {
      const behind = asked[i]
      if (behind && this.#takePosition(behind, position, heldBefore[i] ?? 0)) moved = true
    }
    return moved
  }

  #takeNew(round: Round, { new: found, newNext }: OutputOf<typeof sync>): boolean {
    if (!round.newPage) return false
    const { standings, events } = this.#options
    for (const conversation of found) {
      const { sessionId, peerUserId, lastSeq } = conversation
      const key = keyOf(conversation)
      if (this.#told?.has(key)) continue
      this.#told?.add(key)
      if (!standings.isFull && !standings.of(conversation)) standings.at({ sessionId, peerUserId }, lastSeq)
      if (!round.quiet) events.emit('conversation', conversation)
    }
    round.newPage = newNext === undefined || (round.quiet && standings.isFull) ? undefined : { after: newNext }
    if (!round.newPage) this.#told = undefined
    return true
  }

  #takePosition(behind: Behind, position: SyncPosition, heldBefore: number): boolean {
    const { standings, give, events } = this.#options
    const { key, name, given } = behind.standing
    if (position.status === 'messages') {
      for (const message of position.messages) {
        // What the server leaves out is not to be had: it was sent while the user was no member, say.
        given.skipTo(message.seq - 1)
        give(message)
        // Also when the conversation has been forgotten meanwhile for being one too many.
        given.skipTo(message.seq)
      }
      if (position.hasMore) {
        if (position.messages.length === 0) return false
        // The others first: this one may go on for long.
        this.#behind.delete(key)
        this.#behind.set(key, behind)
        return true
      }
    } else if (position.status === 'reset') {
      const { lastSeq, reason } = position
      standings.forget(name)
      if (reason === 'notAMember') this.#told?.delete(key)
      else standings.at(name, lastSeq)
      events.emit('reset', { ...name, lastSeq, reason })
    }
    this.#behind.delete(key)
    const [first] = behind.held ?? []
    if (first && heldBefore > 0) given.skipTo(first.seq - 1)
    for (const message of behind.held ?? []) if (!this.keeps(name, message)) give(message)
    return true
  }

  #letGo(behind: Behind): void {
    const held = behind.held ?? []
    behind.held = undefined
    for (const message of held) this.#options.give(message)
  }
}
