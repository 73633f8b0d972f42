import { once } from 'node:events'
import { WebSocket } from 'ws'
import { makeToken } from '../tokens.ts'
import type { Target } from './target.ts'

const CONNECTING_AT_ONCE = 100

/** Binds one socket for each id, spread over the gateways; a hundred at a time. */
export async function bindUsers(target: Target, ids: readonly number[]): Promise<WebSocket[]> {
  const sockets: WebSocket[] = []
  for (let at = 0; at < ids.length; at += CONNECTING_AT_ONCE) {
    const slice = ids.slice(at, at + CONNECTING_AT_ONCE)
    sockets.push(...(await Promise.all(slice.map((id, i) => bindUser(target, id, at + i)))))
  }
  return sockets
}

async function bindUser(target: Target, userId: number, index: number): Promise<WebSocket> {
  const url = target.urls[index % target.urls.length] as string
  const accessToken = await makeToken(target.authSecret, { sub: String(userId) })
  const socket = new WebSocket(new URL('/ws', url.replace('http', 'ws')))
  await once(socket, 'open')
  socket.send(JSON.stringify({ tag: 'getUserId', data: { userId, accessToken, sync: true } }))
  for (;;) {
    const [text] = await once(socket, 'message')
    const { tag, data } = JSON.parse(String(text))
    if (tag === 'bound') return socket
    if (tag === 'error') throw new Error(`binding was refused: ${JSON.stringify(data)}`)
  }
}
