/** Works through a list, so many at a time. */
export async function inTurn<T>(list: readonly T[], atOnce: number, work: (one: T) => Promise<void>): Promise<void> {
  const next = list.values()
  const worker = async () => {
    for (const one of next) await work(one)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}
