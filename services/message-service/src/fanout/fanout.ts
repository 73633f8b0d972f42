import type { GroupId, UserId } from '@qunxin/contracts'
import type { Logger } from '@qunxin/runtime'
import type { Absences } from './absences.ts'
import { type Audience, areSameUsers, groupOfItem, isOfSamePair, usersOfItem } from './audience.ts'
import type { Audiences } from './audiences.ts'
import { type Composing, compose, type Publication } from './compose.ts'
import type { Job, JobItem } from './job.ts'
import type { Routes } from './routes.ts'

/** Jobs a lane may be ahead of its fan-out before its next commit waits. */
const MOST_JOBS = 8

export interface FanoutOptions {
  instance: string
  routes: Pick<Routes, 'nodesOf'>
  audiences: Pick<Audiences, 'of'>
  /** Members as of now; undefined when group-service could not be asked. */
  membersNow(group: GroupId): Promise<ReadonlySet<UserId> | undefined>
  /** The members for whom a message of this seq is not: they came later. */
  behind(group: GroupId, seq: number): ReadonlySet<UserId>
  mayRead?: Composing['mayRead']
  /** Resolves when NATS is connected: what is published meanwhile would be dropped without a word. */
  connected(): Promise<void>
  publish(publication: Publication): void
  /** Called with each job once it is out. */
  absences: Pick<Absences, 'look'>
  logger: Logger
}

/** Sends out what one lane has committed, one job after the other in the order of the commits, beside the lane's next ones. */
export class Fanout {
  readonly #options: FanoutOptions
  readonly #jobs: Job[] = []
  #running: Promise<void> | undefined
  #waiting: (() => void)[] = []
  /** Jobs pushed and sent since the start. */
  #pushed = 0
  #sent = 0

  constructor(options: FanoutOptions) {
    this.#options = options
  }

  push(job: Job): void {
    if (job.length === 0) return
    this.#jobs.push(job)
    this.#pushed += 1
    this.#running ??= this.#run()
  }

  /** The oldest message that is not out yet (ms of the log); Infinity when all are. */
  get untoldSince(): number {
    let oldest = Number.POSITIVE_INFINITY
    for (const job of this.#jobs) for (const { frame } of job) if (frame) oldest = Math.min(oldest, frame.message.at)
    return oldest
  }

  /** Resolves when there is room for another commit's job. */
  async room(): Promise<void> {
    while (this.#jobs.length >= MOST_JOBS) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when what was pushed before the call is out. */
  async out(): Promise<void> {
    const before = this.#pushed
    while (this.#sent < before) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  /** Resolves when nothing is left to send. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    for (let job = this.#jobs[0]; job; job = this.#jobs[0]) {
      try {
        await this.#options.connected()
        await this.#send(job)
      } catch (error) {
        this.#options.logger.error({ err: error }, 'a fan-out failed')
      }
      // Answered or not, these sends are no longer under way: a repeat of them is looked at again.
      for (const { answered } of job) if (answered) answered.run.unanswered -= 1
      this.#jobs.shift()
      this.#sent += 1
      for (const resume of this.#waiting.splice(0)) resume()
    }
    this.#running = undefined
  }

  async #send(job: Job): Promise<void> {
    const { instance, routes, audiences, publish, absences, behind, mayRead } = this.#options
    const named = new Set<UserId>()
    const groups = new Set<GroupId>()
    let before: JobItem | undefined
    for (const item of job) {
      const group = groupOfItem(item)
      if (group !== undefined) groups.add(group)
      else if (!isOfSamePair(before, item)) for (const user of usersOfItem(item)) named.add(user)
      before = item
    }
    let members = await this.#membersOf(groups)
    for (;;) {
      const where = async ([group, users]: [GroupId, ReadonlySet<UserId>]) =>
        [group, await audiences.of(group, users)] as const
      const [found, ...places] = await Promise.all([routes.nodesOf(named), ...[...members].map(where)])
      // Redis may have taken its time: who was kicked meanwhile gets nothing of it.
      const now = await this.#membersOf(groups)
      if (areSame(members, now)) {
        const reach = { routes: found, audiences: new Map<GroupId, Audience>(places), behind }
        const composing: Composing = { instance, ...reach, ...(mayRead && { mayRead }) }
        for (const publication of compose(job, composing)) publish(publication)
        absences.look(job, reach)
        return
      }
      members = now
    }
  }

  /** A group that could not be asked for is left out. */
  async #membersOf(groups: ReadonlySet<GroupId>): Promise<Map<GroupId, ReadonlySet<UserId>>> {
    const members = new Map<GroupId, ReadonlySet<UserId>>()
    const ask = async (group: GroupId) => {
      const now = await this.#options.membersNow(group)
      if (now) members.set(group, now)
    }
    if (groups.size > 0) await Promise.all([...groups].map(ask))
    return members
  }
}

type ByGroup = ReadonlyMap<GroupId, ReadonlySet<UserId>>

function areSame(before: ByGroup, now: ByGroup): boolean {
  if (before.size !== now.size) return false
  for (const [group, users] of before) {
    const others = now.get(group)
    if (!others || !areSameUsers(users, others)) return false
  }
  return true
}
