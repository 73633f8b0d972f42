import type { GroupId, MembershipChange } from '@qunxin/contracts'
import { AppError } from '@qunxin/runtime'
import { LRUCache } from 'lru-cache'
import { goneAt, type Members, membersAt } from './members.ts'
import type { MembershipSource } from './source.ts'

/** How long an answer of group-service counts from the question on: a change it could not tell us of is in force after this. */
const VALID_MS = 200
/** An answer counts this long at least from its arrival: a slow group-service slows sends down, it does not stop them. */
const LEAST_VALID_MS = 50
const RENEW_EVERY_MS = 100
/** Groups not used for so long are no longer renewed. */
const USED_WITHIN_MS = 2_000

interface Entry {
  group: GroupId
  members: Members | undefined
  /** The newest version we were told of: an answer older than this was read before the change and is thrown away. */
  known: number
  validUntil: number
  usedAt: number
  loading: Promise<void> | undefined
}

const sizeOf = ({ members }: Entry) => 1 + (members?.users.size ?? 0)

/** Members of groups, never older than 200 ms when used. Times are of the monotonic clock. */
export class MembershipCache {
  readonly #source: MembershipSource
  readonly #now: () => number
  readonly #entries: LRUCache<GroupId, Entry>
  #timer: NodeJS.Timeout | undefined
  #wanted = new Set<Entry>()
  #asking: Promise<void> | undefined

  constructor(source: MembershipSource, options: { mostMembers: number; now?: () => number }) {
    this.#source = source
    this.#now = options.now ?? (() => performance.now())
    this.#entries = new LRUCache({ maxSize: options.mostMembers, sizeCalculation: sizeOf })
  }

  /** Keeps the groups in use fresh. */
  start(): void {
    const round = () => {
      void this.#renewUsed().finally(() => {
        this.#timer = setTimeout(round, RENEW_EVERY_MS)
        this.#timer.unref()
      })
    }
    round()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** The members now, when that is known; else `load` first. */
  fresh(group: GroupId): Members | undefined {
    const entry = this.#use(group)
    return this.#now() <= entry.validUntil ? entry.members : undefined
  }

  /** What was known last, however old. */
  last(group: GroupId): Members | undefined {
    return this.#entries.peek(group)?.members
  }

  /**
   * Makes the group fresh.
   *
   * @throws AppError when group-service does not answer
   */
  async load(group: GroupId): Promise<void> {
    const entry = this.#use(group)
    entry.loading ??= this.#refresh(entry).finally(() => {
      entry.loading = undefined
    })
    await entry.loading
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
    this.#put(entry, membersAt(change.version, users))
  }

  dropAll(): void {
    this.#entries.clear()
    this.#wanted.clear()
  }

  #use(group: GroupId): Entry {
    let entry = this.#entries.get(group)
    if (!entry) {
      entry = { group, members: undefined, known: 0, validUntil: -Infinity, usedAt: 0, loading: undefined }
      this.#entries.set(group, entry)
    }
    entry.usedAt = this.#now()
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
    while (!entry.members || this.#now() > entry.validUntil) await this.#read(entry)
  }

  async #read(entry: Entry): Promise<void> {
    const askedAt = this.#now()
    let members: Members
    try {
      const { members: list, version } = await this.#source.membersOf(entry.group)
      members = membersAt(version, new Set(list.map(({ userId }) => userId)))
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'GROUP_NOT_FOUND') throw error
      members = goneAt(entry.known)
    }
    if (members.version < entry.known) return
    this.#put(entry, members)
    entry.known = members.version
    entry.validUntil = this.#validity(askedAt)
  }

  #validity(askedAt: number): number {
    return Math.max(askedAt + VALID_MS, this.#now() + LEAST_VALID_MS)
  }

  async #renewUsed(): Promise<void> {
    const since = this.#now() - USED_WITHIN_MS
    const used: Entry[] = []
    for (const entry of this.#entries.values()) {
      // The cache goes from the newest use to the oldest.
      if (entry.usedAt < since) break
      if (entry.members) used.push(entry)
    }
    await this.#renew(used).catch(() => {})
  }

  async #renew(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) this.#wanted.delete(entry)
    if (entries.length === 0) return
    const askedAt = this.#now()
    const versions = await this.#source.versionsOf(entries.map(({ group }) => group))
    for (const [index, entry] of entries.entries()) {
      const version = versions[index] ?? 0
      if (version === 0) this.#put(entry, goneAt(entry.known))
      else if (version < entry.known) continue
      else if (entry.members?.gone || entry.members?.version !== version) {
        entry.members = undefined
        entry.known = version
        void this.load(entry.group).catch(() => {})
        continue
      }
      entry.validUntil = this.#validity(askedAt)
    }
  }
}
