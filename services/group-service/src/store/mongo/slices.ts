const SLICE = 1_000

/** Long lists of keys go to MongoDB a slice at a time. */
export function* slices<T>(all: readonly T[]): Generator<T[]> {
  for (let at = 0; at < all.length; at += SLICE) yield all.slice(at, at + SLICE)
}
