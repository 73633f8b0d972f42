import { setTimeout as delay } from 'node:timers/promises'
import type { GroupId, MembershipChange, UserId } from '@qunxin/contracts'
import { AppError, every, withinTime } from '@qunxin/runtime'
import { LRUCache } from 'lru-cache'
import { goneAt, type Members, membersAt } from './members.ts'
import type { MembershipSource } from './source.ts'

/** How long an answer of group-service counts from the question on: a change it could not tell us of is in force after this. */
const VALID_MS = 200
/** How long it counts for who hears everything that owners are told: a slow group-service does not stop sends. */
const VALID_HEARING_MS = 3_000
/** How often is seen to it that the groups in use can be used at once. */
const KEEP_FRESH_EVERY_MS = 100
/** What counts for who hears is asked for again no sooner: two more questions may go unanswered then. */
const RENEW_HEARING_AFTER_MS = 1_000
/** Before asking a third time when answers are older than what we have been told: who gives them may be behind for a while. */
const REREAD_MS = 10
/** Groups not used for so long are no longer kept fresh. */
const USED_WITHIN_MS = 2_000
/** The next renewal does not wait longer for the one before: the process that has the question may stand still. */
const RENEWAL_PATIENCE_MS = 500
/** Shorter than it takes until somebody else owns what we own. */
const PROMPT_MS = 1_000
/** While no group is in use; at the same time as this process announces itself, so that it costs next to nothing. */
const LISTEN_EVERY_MS = 500

/** What group-service tells owners of changes, as this process hears it. */
export interface ChangeFeed {
  /** Since when everything told of this group comes here (monotonic ms); undefined when this process is not its owner. */
  since(group: GroupId): number | undefined
  /** Resolves when everything that was told before the call has been applied. */
  caughtUp(): Promise<void>
}

/** For who hears nothing. */
const DEAF: ChangeFeed = { since: () => undefined, caughtUp: async () => {} }

interface Entry {
  group: GroupId
  members: Members | undefined
  /** The newest version we were told of: an answer older than this was read before the change and is thrown away. */
  known: number
  /** When the question was put that the members, or their being unchanged, is the answer to. */
  askedAt: number
  usedAt: number
  loading: Promise<void> | undefined
}

const sizeOf = ({ members }: Entry) => 1 + (members?.users.size ?? 0)

/**
 * Members of groups. What is used is of a question put less than 200 ms ago; or of one put within 3 s, when whatever was told
 * since, up to 200 ms ago, has been heard (ADR 0013). Times are of the monotonic clock.
 */
export class MembershipCache {
  readonly #source: MembershipSource
  readonly #feed: ChangeFeed
  readonly #now: () => number
  readonly #entries: LRUCache<GroupId, Entry>
  #listening: { stop(): void } | undefined
  /** Runs while a group is in use. */
  #keepingFresh: NodeJS.Timeout | undefined
  #isListening = false
  #isRenewing = false
  /** Everything told before this moment has been applied. */
  #heardUpTo = -Infinity
  #wanted = new Set<Entry>()
  #asking: Promise<void> | undefined
  #drops = 0

  constructor(source: MembershipSource, options: { mostMembers: number; feed?: ChangeFeed; now?: () => number }) {
    this.#source = source
    this.#feed = options.feed ?? DEAF
    this.#now = options.now ?? (() => performance.now())
    this.#entries = new LRUCache({ maxSize: options.mostMembers, sizeCalculation: sizeOf })
  }

  /** Keeps the groups in use fresh, and knows how promptly it hears what it is told. */
  start(): void {
    // Behind what others publish in this turn: both leave together.
    this.#listening = every(LISTEN_EVERY_MS, () => queueMicrotask(() => void this.#listenOn()))
    this.#keepFresh()
  }

  stop(): void {
    this.#listening?.stop()
    this.#listening = undefined
    clearInterval(this.#keepingFresh)
    this.#keepingFresh = undefined
  }

  /** The members now, when that is known; else `load` first. */
  fresh(group: GroupId): Members | undefined {
    const entry = this.#use(group)
    return this.#isFresh(entry) ? entry.members : undefined
  }

  /** What was known last, however old. */
  last(group: GroupId): Members | undefined {
    return this.#entries.peek(group)?.members
  }

  /**
   * Brings the members as of some moment after the call, or fresh ones. A slow answer may be no longer fresh when it comes.
   *
   * @throws AppError when group-service does not answer
   */
  async load(group: GroupId): Promise<void> {
    const calledAt = this.#now()
    for (;;) {
      const entry = this.#use(group)
      entry.loading ??= this.#refresh(entry).finally(() => {
        entry.loading = undefined
      })
      await entry.loading
      if (entry.members && (this.#isFresh(entry) || entry.askedAt >= calledAt)) return
    }
  }

  /** Whether what we are told of comes soon after it was: who stood still or was cut off hears of what may be long past. */
  get hearsPromptly(): boolean {
    return this.#now() <= this.#heardUpTo + PROMPT_MS
  }

  /** A change group-service tells us of. An empty delta with a version we have not seen means that we missed one. */
  apply(change: MembershipChange): void {
    const entry = this.#use(change.groupId)
    entry.known = Math.max(entry.known, change.version)
    if (change.deleted) {
      this.#put(entry, goneAt(change.version))
      return
    }
    const members = entry.members
    if (!members || members.version >= change.version) return
    const isDelta = change.added.length > 0 || change.removed.length > 0
    if (!isDelta || members.version !== change.version - 1) {
      entry.members = undefined
      return
    }
    const users = new Set(members.users)
    for (const user of change.removed) users.delete(user)
    for (const user of change.added) users.add(user)
    const joinedSeq = new Map(members.joinedSeq)
    for (const user of change.removed) joinedSeq.delete(user)
    const unplaced = new Set([...members.unplaced, ...change.added])
    // A change of roles or of settings comes without a delta: what is added here is plain members.
    this.#put(entry, membersAt(change.version, users, { ...members, joinedSeq, unplaced }))
  }

  /** At which seq those came whom a change added. */
  joined(group: GroupId, users: readonly UserId[], seq: number): void {
    const entry = this.#entries.peek(group)
    if (!entry?.members || entry.members.gone) return
    const { version, users: all, joinedSeq, unplaced } = entry.members
    const places = users.filter((user) => seq > 0 && all.has(user)).map((user) => [user, seq] as const)
    entry.members = membersAt(version, all, {
      ...entry.members,
      joinedSeq: new Map([...joinedSeq, ...places]),
      unplaced: new Set([...unplaced].filter((user) => !users.includes(user))),
    })
  }

  dropAll(): void {
    this.#heardUpTo = -Infinity
    this.#drops += 1
    this.#entries.clear()
    this.#wanted.clear()
  }

  #use(group: GroupId): Entry {
    let entry = this.#entries.get(group)
    if (!entry) {
      entry = { group, members: undefined, known: 0, askedAt: -Infinity, usedAt: 0, loading: undefined }
      this.#entries.set(group, entry)
    }
    entry.usedAt = this.#now()
    if (this.#listening) this.#keepingFresh ??= setInterval(() => this.#keepFresh(), KEEP_FRESH_EVERY_MS).unref()
    return entry
  }

  /** A group weighs as much as it has members; it is weighed by being put in anew, in front. */
  #put(entry: Entry, members: Members): void {
    entry.members = members
    entry.usedAt = this.#now()
    if (this.#entries.peek(entry.group) !== entry) return
    this.#entries.delete(entry.group)
    this.#entries.set(entry.group, entry)
  }

  async #refresh(entry: Entry): Promise<void> {
    if (entry.members) {
      this.#wanted.add(entry)
      // One question for all groups that need one in this turn of the event loop.
      this.#asking ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => {
        this.#asking = undefined
        return this.#renew([...this.#wanted])
      })
      await this.#asking
    }
    for (let reads = 0; !entry.members; reads++) {
      if (reads > 1) await delay(REREAD_MS, undefined, { ref: false })
      await this.#read(entry)
    }
    // An answer older than its lease counts for who has heard everything told since.
    if (!this.#isFresh(entry) && this.#feed.since(entry.group) !== undefined) await this.#listen()
  }

  #isFresh(entry: Entry): boolean {
    const now = this.#now()
    return now <= entry.askedAt + VALID_MS || (now <= entry.askedAt + VALID_HEARING_MS && this.#hears(entry, now))
  }

  /** Has everything been heard that was told of this group since the question, up to 200 ms ago? */
  #hears({ group, askedAt }: Entry, now: number): boolean {
    const since = this.#feed.since(group)
    return now <= this.#heardUpTo + VALID_MS && since !== undefined && since <= askedAt
  }

  /** What is not in use is left alone: the first use after that waits for an answer. */
  #keepFresh(): void {
    const now = this.#now()
    const due: Entry[] = []
    let used = 0
    for (const entry of this.#entries.values()) {
      // The cache goes from the newest use to the oldest.
      if (entry.usedAt < now - USED_WITHIN_MS) break
      used += 1
      const isGood = now < entry.askedAt + RENEW_HEARING_AFTER_MS && this.#hears(entry, now)
      if (entry.members && !isGood) due.push(entry)
    }
    if (used === 0) {
      clearInterval(this.#keepingFresh)
      this.#keepingFresh = undefined
      return
    }
    void this.#listenOn()
    void this.#renewOn(due)
  }

  async #listenOn(): Promise<void> {
    if (this.#isListening) return
    this.#isListening = true
    await this.#listen()
    this.#isListening = false
  }

  async #renewOn(due: readonly Entry[]): Promise<void> {
    if (this.#isRenewing || due.length === 0) return
    this.#isRenewing = true
    await withinTime(RENEWAL_PATIENCE_MS, this.#renew(due)).catch(() => {})
    this.#isRenewing = false
  }

  async #listen(): Promise<void> {
    const startedAt = this.#now()
    const drops = this.#drops
    const heard = await this.#feed.caughtUp().then(
      () => true,
      () => false,
    )
    // A cache that was dropped meanwhile may have been cut off: what it heard before says nothing.
    if (heard && drops === this.#drops) this.#heardUpTo = Math.max(this.#heardUpTo, startedAt)
  }

  async #read(entry: Entry): Promise<void> {
    const askedAt = this.#now()
    let members: Members
    try {
      const { members: list, version, slowModeMs = 0, history } = await this.#source.membersOf(entry.group)
      const admins = new Set(list.filter(({ role }) => role !== 'member').map(({ userId }) => userId))
      const joinedSeq = new Map(list.flatMap((one) => (one.joinedSeq ? [[one.userId, one.joinedSeq] as const] : [])))
      // Nobody asks for it else, and it may be all of them.
      const placeless = history === 'joined' ? list.filter((one) => one.joinedSeq === undefined) : []
      const unplaced = new Set(placeless.map(({ userId }) => userId))
      const users = new Set(list.map(({ userId }) => userId))
      members = membersAt(version, users, { slowModeMs, admins, history, joinedSeq, unplaced })
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'GROUP_NOT_FOUND') throw error
      members = goneAt(entry.known)
    }
    if (members.version < entry.known) return
    this.#put(entry, members)
    entry.known = members.version
    entry.askedAt = askedAt
  }

  async #renew(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) this.#wanted.delete(entry)
    if (entries.length === 0) return
    const askedAt = this.#now()
    const versions = await this.#source.versionsOf(entries.map(({ group }) => group))
    for (const [index, entry] of entries.entries()) {
      const version = versions[index] ?? 0
      if (version === 0) {
        // Put in anew it would count as used, and be asked for for ever.
        if (!entry.members?.gone) this.#put(entry, goneAt(entry.known))
      } else if (version < entry.known) continue
      else if (entry.members?.gone || entry.members?.version !== version) {
        entry.members = undefined
        entry.known = version
        void this.load(entry.group).catch(() => {})
        continue
      }
      entry.askedAt = Math.max(entry.askedAt, askedAt)
    }
  }
}
