import type { UserId } from '@qunxin/contracts'

/** What else a partition owner goes by, of the same version as the members. */
export interface Pacing {
  /** How far apart a plain member's messages must be at least, in ms; 0 when slow mode is off. */
  readonly slowModeMs: number
  /** The owner and admins, whom slow mode does not concern. */
  readonly admins: ReadonlySet<UserId>
}

/** Who is in a group, as of one version of its membership. */
export interface Members extends Pacing {
  readonly version: number
  /** Deleted, or never there. */
  readonly gone: boolean
  readonly users: ReadonlySet<UserId>
  has(user: UserId): boolean
}

const NOBODY: ReadonlySet<UserId> = new Set()

const UNPACED: Pacing = { slowModeMs: 0, admins: NOBODY }

export function membersAt(version: number, users: ReadonlySet<UserId>, pacing: Pacing = UNPACED): Members {
  const { slowModeMs, admins } = pacing
  return { version, gone: false, users, slowModeMs, admins, has: (user) => users.has(user) }
}

export function goneAt(version: number): Members {
  return { version, gone: true, users: NOBODY, ...UNPACED, has: () => false }
}
