import type { ProfileField, UserId } from '@qunxin/contracts'

export type Profile = { [Field in ProfileField]?: string | undefined }

/** Profiles, which the user system pushes in, and since when a user's tokens count. */
export interface UserStore {
  /** Sets the fields given; the others stay as they were. */
  put(profiles: ReadonlyMap<UserId, Profile>): Promise<void>
  /** The profiles of those who were ever put. */
  get(users: readonly UserId[]): Promise<Map<UserId, Profile>>
  /** Never goes back. Answers what counts from now on, in milliseconds since 1970. */
  setNotBefore(user: UserId, notBefore: number): Promise<number>
  /** Only those who were ever revoked. */
  notBeforeOf(users: readonly UserId[]): Promise<Map<UserId, number>>
}
