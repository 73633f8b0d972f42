import { freePort } from '../ports.ts'
import type { Progress } from '../progress.ts'
import type { Ended } from '../supervise.ts'
import type { PlannedService } from './plan.ts'
import { type Service, startService } from './service.ts'

export interface FleetOptions {
  logDir: string
  progress?: Progress | undefined
  onChange(): void
  restartWithinMs?: number | undefined
  signal?: AbortSignal | undefined
}

/** The processes of ours that run: those of the start, and those that came and went since. */
export class Fleet {
  readonly #options: FleetOptions
  readonly #services: Service[] = []

  constructor(options: FleetOptions) {
    this.#options = options
  }

  get services(): readonly Service[] {
    return this.#services
  }

  /** Starts all at once. @throws SetupError of the first that failed; the others are there, to be stopped */
  async start(plan: readonly PlannedService[]): Promise<void> {
    const outcomes = await Promise.allSettled(plan.map((planned) => this.#start(planned)))
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') this.#services.push(outcome.value)
    const failed = outcomes.find((outcome) => outcome.status === 'rejected')
    if (failed !== undefined) throw failed.reason
  }

  /** Starts one more; resolves when it takes work. */
  async add(planned: PlannedService): Promise<Service> {
    const service = await this.#start(planned)
    this.#services.push(service)
    this.#options.onChange()
    return service
  }

  /** Ends one by SIGTERM, for good. @throws when there is none of that name */
  async remove(name: string): Promise<Ended> {
    const at = this.#services.findIndex((service) => service.name === name)
    if (at < 0) throw new Error(`There is no ${name} to remove: ${this.#services.map((one) => one.name).join(', ')}`)
    const [service] = this.#services.splice(at, 1) as [Service]
    const ended = await service.stop()
    this.#options.onChange()
    return ended
  }

  /** Gateways first: they drain while what they talk to still answers. */
  async stop(): Promise<void> {
    for (const kind of ['gateway', 'message-service', 'group-service'] as const) {
      const ofKind = this.#services.filter((service) => service.kind === kind)
      await Promise.all(ofKind.map((service) => service.stop()))
    }
  }

  async #start(planned: PlannedService): Promise<Service> {
    const { logDir, onChange, restartWithinMs, signal, progress = () => {} } = this.#options
    const opsPort = await freePort()
    const service = await startService({
      ...planned,
      opsPort,
      logDir,
      progress,
      onSpawn: onChange,
      restartWithinMs,
      signal,
    })
    progress(`${service.name} is ready (${service.url ?? service.opsUrl})`)
    return service
  }
}
