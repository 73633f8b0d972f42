import { type ConversationName, keyOf } from './conversation-name.ts'

/** Of one conversation no more often than this. */
const TELL_EVERY_MS = 500
/** In that time, of all conversations together: well below what a user may send, also when two devices do so. */
const FRAMES_AT_ONCE = 10
/** What was told so long before anything came on a connection is stored. Later it may have died with the gateway, or on the way. */
const SETTLED_MS = 60_000
/** Refused for being too many, or because a gateway had no room: they wait so long. */
const REFUSED_MS = 1_000
/** Conversations remembered; the one that moved longest ago is forgotten. */
const MOST = 2_000

interface Mark {
  name: ConversationName
  received: number
  read: number
  /** How far the server was told, by a connection that may have kept it. */
  toldReceived: number
  toldRead: number
  toldAt: number
}

/**
 * How far the user has received and read, per conversation, told to the server. These frames have no answer: what was told
 * shortly before a connection got lost is told again on the next one. Only the furthest counts.
 */
export class Marks {
  readonly #write: (tag: string, data: ConversationName & { seq: number }) => boolean
  readonly #marks = new Map<string, Mark>()
  /** Those the server has not been told all of. */
  readonly #untold = new Set<Mark>()
  #budget = FRAMES_AT_ONCE
  #timer: ReturnType<typeof setTimeout> | undefined
  #pausedUntil = 0

  /** `write` answers false while there is no bound connection. */
  constructor(write: (tag: string, data: ConversationName & { seq: number }) => boolean) {
    this.#write = write
  }

  received(name: ConversationName, seq: number): void {
    const mark = this.#markOf(name)
    if (seq <= Math.max(mark.received, mark.read)) return
    mark.received = seq
    this.#tell(mark)
  }

  read(name: ConversationName, seq: number): void {
    const mark = this.#markOf(name)
    if (seq <= mark.read) return
    mark.read = seq
    this.#tell(mark)
  }

  /** The conversation begins anew: what comes next has smaller seqs than what was told. */
  forget(name: ConversationName): void {
    const mark = this.#marks.get(keyOf(name))
    if (!mark) return
    this.#marks.delete(keyOf(name))
    this.#untold.delete(mark)
  }

  /** A connection is there. */
  bound(): void {
    for (const mark of this.#untold) if (!this.#tell(mark)) return
  }

  /** Whatever it was told last may be lost with it; `heardAt` is when something came on it last. */
  connectionLost(heardAt: number): void {
    this.#tellAgain(heardAt - SETTLED_MS)
  }

  /** The server had no room for what it was told just now. */
  refused(): void {
    this.#pausedUntil = Date.now() + REFUSED_MS
    this.#tellAgain(Date.now() - REFUSED_MS)
    this.#wait()
  }

  /** What waits goes out as long as there is a connection; nothing comes behind it. */
  close(): void {
    for (const mark of this.#untold) if (!this.#send(mark)) break
    clearTimeout(this.#timer)
    this.#untold.clear()
    this.#marks.clear()
  }

  #markOf(name: ConversationName): Mark {
    const key = keyOf(name)
    const known = this.#marks.get(key)
    const mark = known ?? { name, received: 0, read: 0, toldReceived: 0, toldRead: 0, toldAt: 0 }
    // Put in anew it stands last.
    this.#marks.delete(key)
    this.#marks.set(key, mark)
    if (this.#marks.size > MOST) {
      const [oldest] = this.#marks.keys()
      if (oldest !== undefined) this.#marks.delete(oldest)
    }
    return mark
  }

  #tellAgain(since: number): void {
    for (const mark of this.#marks.values()) {
      if (mark.toldAt === 0 || mark.toldAt < since) continue
      mark.toldReceived = 0
      mark.toldRead = 0
      mark.toldAt = 0
      this.#untold.add(mark)
    }
  }

  /** Now if it may, or as soon as it may. Returns false when there is no connection. */
  #tell(mark: Mark): boolean {
    const now = Date.now()
    this.#untold.add(mark)
    const isEarly = now < mark.toldAt + TELL_EVERY_MS || now < this.#pausedUntil
    if (isEarly || this.#budget <= 0) {
      this.#wait()
      return true
    }
    const told = this.#send(mark)
    if (told) this.#wait()
    return told
  }

  #wait(): void {
    this.#timer ??= setTimeout(() => this.#tick(), TELL_EVERY_MS)
  }

  #tick(): void {
    this.#timer = undefined
    this.#budget = FRAMES_AT_ONCE
    for (const mark of this.#untold) if (!this.#tell(mark)) return
  }

  #send(mark: Mark): boolean {
    const { name, received, read } = mark
    if (read > mark.toldRead) {
      if (!this.#write('messageRead', { ...name, seq: read })) return false
      this.#budget -= 1
      mark.toldRead = read
    }
    // What is read has been received.
    if (received > Math.max(mark.toldReceived, mark.toldRead)) {
      if (!this.#write('messageReceived', { ...name, seq: received })) return false
      this.#budget -= 1
      mark.toldReceived = received
    }
    mark.toldAt = Date.now()
    this.#untold.delete(mark)
    return true
  }
}
