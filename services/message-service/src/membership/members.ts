import type { UserId } from '@qunxin/contracts'

/** What else a partition owner goes by, of the same version as the members. */
export interface Settings {
  /** How far apart a plain member's messages must be at least, in ms; 0 when slow mode is off. */
  readonly slowModeMs: number
  /** The owner and admins, whom slow mode does not concern. */
  readonly admins: ReadonlySet<UserId>
  /** Members read only what was sent while they were. */
  readonly history?: 'joined' | undefined
}

/** Who is in a group, as of one version of its membership. */
export interface Members extends Settings {
  readonly version: number
  /** Deleted, or never there. */
  readonly gone: boolean
  readonly users: ReadonlySet<UserId>
  /** The newest seq of the group when each came, as far as it is known and not 0. */
  readonly joinedSeq: ReadonlyMap<UserId, number>
  /** With `history: joined`: who came nobody knows where in the log. */
  readonly unplaced: ReadonlySet<UserId>
  has(user: UserId): boolean
}

const NOBODY: ReadonlySet<UserId> = new Set()

const NOWHERE: ReadonlyMap<UserId, number> = new Map()

const UNPACED: Settings = { slowModeMs: 0, admins: NOBODY }

export function membersAt(
  version: number,
  users: ReadonlySet<UserId>,
  more: Settings & Partial<Pick<Members, 'joinedSeq' | 'unplaced'>> = UNPACED,
): Members {
  const { slowModeMs, admins, history, joinedSeq = NOWHERE, unplaced = NOBODY } = more
  const settings = { slowModeMs, admins, history }
  return { version, gone: false, users, ...settings, joinedSeq, unplaced, has: (user) => users.has(user) }
}

export function goneAt(version: number): Members {
  return { version, gone: true, users: NOBODY, joinedSeq: NOWHERE, unplaced: NOBODY, ...UNPACED, has: () => false }
}
