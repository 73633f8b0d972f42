/** The part of the browser's WebSocket that is used; Node's own and the one of `ws` have it too. */
export interface WebSocketLike {
  send(text: string): void
  close(code?: number, reason?: string): void
  onopen: unknown
  onmessage: unknown
  onclose: unknown
  onerror: unknown
}

export type WebSocketClass = new (url: string) => WebSocketLike

export interface SocketHandlers {
  open(): void
  frame(frame: { tag: string; data: unknown }): void
  close(code: number, reason: string): void
}

/** Opens one socket and reads its frames; what is not a frame is not for us. */
export function openSocket(WebSocket: WebSocketClass, url: string, handlers: SocketHandlers): WebSocketLike {
  const socket = new WebSocket(url)
  socket.onopen = () => handlers.open()
  socket.onmessage = (event: { data: unknown }) => {
    const frame = parseFrame(event.data)
    if (frame) handlers.frame(frame)
  }
  socket.onclose = (event: { code: number; reason: string }) => handlers.close(event.code, event.reason)
  // A failed connection closes as well; without a handler Node's emitters would throw.
  socket.onerror = () => {}
  return socket
}

function parseFrame(text: unknown): { tag: string; data: unknown } | undefined {
  try {
    const frame: unknown = JSON.parse(String(text))
    if (typeof frame !== 'object' || frame === null || !('tag' in frame) || typeof frame.tag !== 'string') return
    return { tag: frame.tag, data: 'data' in frame ? frame.data : undefined }
  } catch {
    return undefined
  }
}

/** `http://host`, `ws://host` or `ws://host/ws` → the address of the socket. */
export function socketUrl(base: string): string {
  const url = new URL(base)
  url.protocol = url.protocol.replace('http', 'ws')
  if (url.pathname === '/') url.pathname = '/ws'
  return url.href
}
