/** Named conditions a process needs before it takes work, and why each is not met yet. */
export class Readiness {
  readonly #faults = new Map<string, string>()

  constructor(waitingFor: Record<string, string> = {}) {
    for (const [name, why] of Object.entries(waitingFor)) this.#faults.set(name, why)
  }

  met(name: string): void {
    this.#faults.delete(name)
  }

  unmet(name: string, why: string): void {
    this.#faults.set(name, why)
  }

  get ready(): boolean {
    return this.#faults.size === 0
  }

  get faults(): Record<string, string> {
    return Object.fromEntries(this.#faults)
  }
}
