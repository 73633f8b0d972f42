import { randomInt } from 'node:crypto'
import { type ChatClient, type ConnectOptions, connect, type WebSocketClass } from '@qunxin/client'
import type { Test } from 'tap'
import { WebSocket } from 'ws'
import { type Data, RawSocket } from './raw-socket.ts'
import type { TestSystem } from './system.ts'
import { makeToken } from './tokens.ts'

export interface HttpAnswer {
  status: number
  headers: Headers
  body: Data
  data: Data
}

/** A user with a token, who may use any edge and any gateway. */
export interface Person {
  /** As HTTP writes it … */
  id: string
  /** … and as the socket does. */
  number: number
  token: string
  post(path: string, data?: unknown, options?: PostOptions): Promise<HttpAnswer>
  /** Bound, as a client that knows only the seeds; `sync` for one that asks for what it missed by itself. */
  socket(options?: { gateway?: number; sync?: boolean }): Promise<RawSocket>
  client(options?: Partial<ConnectOptions> & { gateway?: number }): Promise<ChatClient>
}

export interface PostOptions {
  gateway?: number
  language?: string
  /** Of the envelope, over the right ones. */
  envelope?: Record<string, unknown>
}

/** Makes users nobody has been before; what they open is closed when the test ends. */
export function people(t: Test, { urls, authSecret }: Pick<TestSystem, 'urls' | 'authSecret'>) {
  const urlOf = (gateway = 0) => urls[gateway % urls.length] as string
  return async function newPerson(id: string | number = randomInt(1_000_000, 2 ** 45)): Promise<Person> {
    const token = await makeToken(authSecret, { sub: String(id) })
    return {
      id: String(id),
      number: Number(id),
      token,
      post: (path, data, { gateway, language, envelope } = {}) =>
        postRaw(
          urlOf(gateway) + path,
          JSON.stringify({ headers: { uid: String(id), accessToken: token, ...envelope }, data }),
          {
            ...(language !== undefined && { 'accept-language': language }),
          },
        ),
      async socket({ gateway, sync } = {}) {
        const socket = await RawSocket.open(urlOf(gateway), { token })
        t.teardown(() => socket.socket.terminate())
        socket.send('getUserId', { userId: Number(id), ...(sync && { sync }) })
        await socket.next('bound')
        return socket
      },
      async client({ gateway, ...options } = {}) {
        const client = await connect({
          url: urlOf(gateway),
          userId: id,
          accessToken: token,
          WebSocket: WebSocket as unknown as WebSocketClass,
          ...options,
        })
        t.teardown(() => client.close())
        return client
      },
    }
  }
}

export async function postRaw(url: string, body: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  const parsed: Data = await response.json()
  return { status: response.status, headers: response.headers, body: parsed, data: parsed.data }
}
