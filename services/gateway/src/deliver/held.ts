import type { LiveFrame } from './receiver.ts'

/**
 * What comes live for a connection while its binding is under way, or while what it missed is read. Each begin of a reading is
 * one of these: whoever finds another in its place has been overtaken.
 */
export class Held {
  readonly frames: LiveFrame[]
  /** What was sent before (ms) is no news to a connection that had live frames already. */
  since: number
  /** What was missed of personal conversations has been shown: only what has to do with groups is held on. */
  groupsOnly = false
  /** What was live may have been lost since the reading began: it is read again. */
  behind = false

  constructor({ frames = [], since = 0 }: { frames?: LiveFrame[]; since?: number } = {}) {
    this.frames = frames
    this.since = since
  }
}
