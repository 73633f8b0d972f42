const BYTES = 1024 * 1024

/**
 * Memory for what is to be written, given away piece by piece and never twice: a socket may keep its piece until it has written it.
 */
export class Slab {
  bytes = Buffer.allocUnsafeSlow(BYTES)
  /** From here on nobody has any of it. */
  used = 0

  /** Makes sure that there is so much. */
  reserve(atMost: number): void {
    if (this.used + atMost <= this.bytes.length) return
    this.bytes = Buffer.allocUnsafeSlow(Math.max(BYTES, atMost))
    this.used = 0
  }

  /** Gives away what was written up to there. */
  take(end: number): Buffer {
    const piece = this.bytes.subarray(this.used, end)
    this.used = end
    return piece
  }
}
