import type { ConversationName, Peer } from './conversation-name.ts'
import type { WebSocketClass } from './web-socket.ts'

export type Token = string | (() => string | Promise<string>)

/** A conversation, and how far. */
export type Position = ConversationName & { seq: number }

export interface ConnectOptions {
  /**
   * Where the gateway is: `https://chat.example.com`, or the address of the socket itself. A function is asked before each
   * connection: with several addresses, the next one may answer when this one does not.
   */
  url: string | (() => string)
  userId: string | number
  /** A function is asked for a fresh token before each connection, so that an expired one is no end. */
  accessToken: Token
  /**
   * This client asks for what it missed by itself and acknowledges by `messageReceived`. Without it the server sends at most
   * the 500 newest that have not reached the user.
   */
  sync?: boolean
  /** With `sync`: how far the application had been given everything, as `client.positions` said. It is caught up from there. */
  positions?: readonly Position[]
  /** Where the platform has none of its own: the class of the `ws` package. */
  WebSocket?: WebSocketClass
  /** How long `connect` tries before it gives up. */
  connectTimeoutMs?: number
  callTimeoutMs?: number
  /** How long a message is sent again and again before its promise is rejected. */
  sendTimeoutMs?: number
  /** Instead of the SDK's own pause before it connects again: milliseconds, given how many attempts failed and what that pause is. */
  reconnectDelay?: (failures: number, usual: number) => number
}

export interface OutgoingContent extends Peer {
  text?: string
  /** 1 text, 2 image, 3 location, 4 audio. */
  type?: 1 | 2 | 3 | 4
  /** The key of idempotency; made up when absent. */
  msgId?: string
  url?: string
  filename?: string
  secret?: string
  length?: number
  lat?: number
  lng?: number
  addr?: string
}
