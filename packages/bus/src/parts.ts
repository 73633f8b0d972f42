/** NATS carries 1 MiB: a larger reply goes in parts of this many bytes, put together again by the caller's bus. */
export const PART_BYTES = 512 * 1024

/** Header on every part but of a reply that fits in one: `<part, from 1>/<parts>`. */
export const PART_HEADER = 'Im-Part'

export function split(payload: Uint8Array): Uint8Array[] {
  if (payload.length <= PART_BYTES) return [payload]
  const parts: Uint8Array[] = []
  for (let at = 0; at < payload.length; at += PART_BYTES) parts.push(payload.subarray(at, at + PART_BYTES))
  return parts
}

/** Collects the parts of one reply, in whichever order they come. */
export class Assembly {
  readonly #parts: Uint8Array[] = []
  #have = 0

  /** Returns the whole once the last part is there. */
  add(header: string, part: Uint8Array): Uint8Array | undefined {
    const [number = 0, of = 0] = header.split('/').map(Number)
    if (this.#parts[number - 1] === undefined) this.#have += 1
    this.#parts[number - 1] = part
    return this.#have === of ? Buffer.concat(this.#parts) : undefined
  }
}
