import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from '@qunxin/runtime'
import type { FastifyInstance } from 'fastify'
import * as ws from 'ws'
import type { Principal } from '../auth/principal.ts'

/** In the form of a proxy too. */
const HANDSHAKE_URL = /^(?:https?:\/\/[^/]*)?\/ws(?:[?#]|$)/
const MAX_FRAGMENTS = 256

export interface UpgradesOptions {
  /** Whose token came with the handshake. Throws or rejects with what it is refused with. */
  admit(request: IncomingMessage): undefined | Promise<Principal>
  /** The socket is open. Attaches its handlers before anything is awaited: what comes earlier is lost. */
  take(socket: ws.WebSocket, from: { request: IncomingMessage; principal: Principal | undefined }): void
  frameLimitBytes: number
  logger: Logger
}

/**
 * Takes WebSocket handshakes as they come from Node, past fastify: a request, a reply, a log, an id and a response that nobody
 * gets cost as much again as ws does (docs/adr/0028). Only a refusal is an answer, and made by fastify like every other: it gets the
 * request after all, and asks `whyRefused`.
 */
export class Upgrades {
  readonly #app: FastifyInstance
  readonly #options: UpgradesOptions
  readonly #server: ws.WebSocketServer
  readonly #refused = new WeakMap<IncomingMessage, unknown>()

  constructor(app: FastifyInstance, options: UpgradesOptions) {
    this.#app = app
    this.#options = options
    this.#server = new ws.WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.frameLimitBytes,
      maxFragments: MAX_FRAGMENTS,
      perMessageDeflate: false,
    })
    app.server.on('upgrade', (request, socket, head) => this.#begin(request, socket, head))
  }

  /** What `admit` refused this request with; undefined when it did not. */
  whyRefused(request: IncomingMessage): unknown {
    return this.#refused.get(request)
  }

  #begin(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node listens no more, and ws does not yet.
    socket.on('error', destroy)
    // A request in front of it has no answer yet, and would get it in the midst of this one's.
    if (isAnswering(socket)) return void socket.destroy()
    if (request.method !== 'GET' || !HANDSHAKE_URL.test(request.url ?? '')) {
      this.#answer(request, socket)
      return
    }
    const refuse = (error: unknown) => {
      this.#refused.set(request, error)
      this.#answer(request, socket)
    }
    try {
      const principal = this.#options.admit(request)
      if (principal === undefined) this.#upgrade(request, socket, { head, principal })
      else void principal.then((known) => this.#upgrade(request, socket, { head, principal: known }), refuse)
    } catch (error) {
      refuse(error)
    }
  }

  #upgrade(
    request: IncomingMessage,
    socket: Duplex,
    { head, principal }: { head: Buffer; principal: Principal | undefined },
  ): void {
    socket.off('error', destroy)
    const { take, logger } = this.#options
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      try {
        take(webSocket, { request, principal })
      } catch (error) {
        logger.error({ err: error }, 'a socket was not taken')
        socket.destroy()
      }
    })
  }

  /** As if it had not asked for another protocol; but the parser is gone, so no further request can come. */
  #answer(request: IncomingMessage, socket: Duplex): void {
    const response = new ServerResponse(request)
    response.shouldKeepAlive = false
    response.assignSocket(socket as IncomingMessage['socket'])
    response.on('finish', () => request.socket.destroySoon())
    this.#app.routing(request, response)
  }
}

function destroy(this: Duplex): void {
  this.destroy()
}

/** Node keeps there the response that is being written, and takes no second one. */
function isAnswering(socket: Duplex & { _httpMessage?: ServerResponse | null }): boolean {
  return Boolean(socket._httpMessage)
}
