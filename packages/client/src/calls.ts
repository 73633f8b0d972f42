import type { Answer } from '@qunxin/contracts'
import { CallError, timedOut, unavailable } from './call-error.ts'

interface Pending {
  resolve(result: unknown): void
  reject(error: CallError): void
  timer: ReturnType<typeof setTimeout>
}

/** Requests with a taskId that wait for their answer. */
export class Calls {
  readonly #pending = new Map<string, Pending>()
  readonly #timeoutMs: number
  #last = 0

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  /** `write` sends the request under the taskId it is given, or answers false when there is no connection. */
  start(write: (taskId: string) => boolean): Promise<unknown> {
    const taskId = `t${++this.#last}`
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#take(taskId)?.reject(timedOut('no answer came')), this.#timeoutMs)
      this.#pending.set(taskId, { resolve, reject, timer })
      if (!write(taskId)) this.#take(taskId)?.reject(unavailable('there is no connection'))
    })
  }

  /** Answers whether the frame was the answer to one of them. */
  answered(data: unknown): boolean {
    const answer = data as Partial<Answer> | null | undefined
    const pending = typeof answer === 'object' && answer ? this.#take(String(answer.taskId)) : undefined
    if (!pending) return false
    if (answer?.code === 0) pending.resolve(answer.result)
    else pending.reject(new CallError(answer?.code ?? 5001, answer?.info ?? '', answer?.details))
    return true
  }

  /** Whether they were carried out is not known: the caller decides what may be repeated. */
  connectionLost(): void {
    for (const taskId of [...this.#pending.keys()]) this.#take(taskId)?.reject(unavailable('the connection was lost'))
  }

  #take(taskId: string): Pending | undefined {
    const pending = this.#pending.get(taskId)
    clearTimeout(pending?.timer)
    this.#pending.delete(taskId)
    return pending
  }
}
