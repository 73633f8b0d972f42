import { open } from 'node:fs/promises'

/** What the webhook would not take, one line of JSON each, on the disk before the event counts as done. */
export class DeadLetters {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  async add(letters: readonly object[]): Promise<void> {
    const file = await open(this.#path, 'a')
    try {
      await file.write(letters.map((letter) => `${JSON.stringify(letter)}\n`).join(''))
      await file.sync()
    } finally {
      await file.close()
    }
  }
}
