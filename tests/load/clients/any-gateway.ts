import { setTimeout as delay } from 'node:timers/promises'
import { CallError, createHttp } from '@qunxin/client'
import type { Target } from '../target.ts'
import type { RunClient } from './run-client.ts'

const RETRY_MS = 250
const GIVE_UP_MS = 60_000

export interface AnyGateway {
  /** @throws when no gateway has answered for a minute, or it is refused */
  post<R>(path: string, data: Record<string, unknown>): Promise<R>
}

/** A client's calls by HTTP, which go to whichever gateway answers, that numbered `first` to begin with. */
export function anyGateway({ urls }: Pick<Target, 'urls'>, client: RunClient, first: number): AnyGateway {
  const { userId, accessToken } = client
  const gateways = urls.map((url) => createHttp({ url, userId, accessToken }))
  return {
    async post<R>(path: string, data: Record<string, unknown>) {
      const giveUpAt = performance.now() + GIVE_UP_MS
      for (let attempt = first; ; attempt++) {
        const http = gateways[attempt % gateways.length]
        if (!http) throw new TypeError('there is no gateway')
        try {
          return await http.post<R>(path, data)
        } catch (error) {
          const final = error instanceof CallError && !error.retryable
          if (final || performance.now() > giveUpAt) throw error
          await delay(RETRY_MS)
        }
      }
    },
  }
}
