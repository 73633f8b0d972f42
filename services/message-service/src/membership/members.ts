import type { UserId } from '@qunxin/contracts'

/** Who is in a group, as of one version of its membership. */
export interface Members {
  readonly version: number
  /** Deleted, or never there. */
  readonly gone: boolean
  readonly users: ReadonlySet<UserId>
  has(user: UserId): boolean
}

const NOBODY: ReadonlySet<UserId> = new Set()

export function membersAt(version: number, users: ReadonlySet<UserId>): Members {
  return { version, gone: false, users, has: (user) => users.has(user) }
}

export function goneAt(version: number): Members {
  return { version, gone: true, users: NOBODY, has: () => false }
}
