import type { GroupId, MembershipChangeInput, UserId } from '@qunxin/contracts'
import type { Clock } from '@qunxin/runtime'
import type { GroupStore } from '../store/group-store.ts'
import type { UserStore } from '../store/user-store.ts'

/** The message-service instances, each the owner of some partitions: they send by their own copy of a group's members. */
export interface Owners {
  /**
   * Tells the group's owner and waits a moment for its confirmation; never throws, as the copy lapses by itself. Answers the
   * newest seq of the group when the change came into force; undefined without a confirmation.
   */
  apply(change: MembershipChangeInput): Promise<number | undefined>
}

export interface Gateways {
  /** Every gateway closes the user's sockets and refuses tokens from before `notBefore` (milliseconds). */
  revoke(user: UserId, notBefore: number): void
}

/** Everything the domain may use of the world. */
export interface Ports {
  store: GroupStore
  users: UserStore
  owners: Owners
  gateways: Gateways
  clock: Clock
  /** 15 random digits: a group's id cannot be guessed. */
  newGroupId(): GroupId
  /** How many members a group may have. */
  membersMax: number
}
