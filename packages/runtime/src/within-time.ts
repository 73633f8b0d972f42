/**
 * Gives an operation up that its own library may leave without an answer for ever. What becomes of it later counts for
 * nothing here; the caller has to reckon with its having worked.
 *
 * @throws Error when it takes longer than `limitMs`, and whatever the operation throws
 */
export async function withinTime<T>(limitMs: number, operation: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${limitMs} ms`)), limitMs)
  })
  try {
    return await Promise.race([operation, limit])
  } finally {
    clearTimeout(timer)
  }
}
