import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'

/**
 * The upgrade leaves each socket tied to its HTTP request and response, headers and token included, for as long as it lives:
 * by the response Node has assigned to it, and by the error listener @fastify/websocket has put on it. That is more than
 * everything else a connection needs, so both are cut; `onError` takes the listener's place.
 */
export function forgetRequest(socket: WebSocket, onError: (this: WebSocket, error: Error) => void): void {
  socket.removeAllListeners('error')
  socket.on('error', onError)
  const stream = (socket as unknown as { _socket: Socket & { _httpMessage?: ServerResponse | null } })._socket
  stream._httpMessage?.detachSocket(stream)
}
