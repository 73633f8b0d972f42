import type { ErrorCode } from '@qunxin/contracts'
import { CallError } from './call-error.ts'

export interface HttpOptions {
  /** `https://chat.example.com` */
  url: string
  userId: string | number
  accessToken: string
  client?: string
  /** Of the texts in `info`: Chinese unless English is preferred. */
  language?: 'zh' | 'en'
}

export interface HttpClient {
  /**
   * `post('/chat/group!joinGroup', { groupId })` resolves with the answer's `data`.
   *
   * @throws CallError with the refusal's word
   */
  post<R = Record<string, unknown>>(path: string, data?: Record<string, unknown>): Promise<R>
}

/** Seed A's calls: the envelope is put around `data` and taken off again. */
export function createHttp(options: HttpOptions): HttpClient {
  const headers = {
    uid: String(options.userId),
    accessToken: options.accessToken,
    ...(options.client !== undefined && { client: options.client }),
  }
  return {
    async post<R>(path: string, data: Record<string, unknown> = {}) {
      const response = await fetch(new URL(path, options.url), {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'accept-language': options.language ?? 'zh' },
        body: JSON.stringify({ headers, data }),
      })
      const body = (await response.json()) as { data: { success: boolean; info: string; code?: ErrorCode } }
      if (body.data.success) return body.data as R
      const { code = 'INTERNAL', info, ...rest } = body.data
      throw new CallError(code, info, 'details' in rest ? rest.details : undefined)
    },
  }
}
