import type { GatewayConfig } from '../config.ts'

export interface Origins {
  /** `host` is the request's Host header. What is no browser sends no Origin, and a page of ours comes from our own host. */
  allows(origin: string | undefined, host: string | undefined): boolean
}

const localNames = new Set(['localhost', '127.0.0.1', '[::1]'])

/** Who may call from a browser, for CORS and for the WebSocket handshake, which CORS does not cover. */
export function createOrigins(config: Pick<GatewayConfig, 'ALLOWED_ORIGINS' | 'DEV_LOGIN'>): Origins {
  const listed = new Set(config.ALLOWED_ORIGINS.map((origin) => origin.replace(/\/$/, '').toLowerCase()))
  return {
    allows(origin, host) {
      if (origin === undefined || listed.has('*') || listed.has(origin.toLowerCase())) return true
      const url = URL.parse(origin)
      if (!url) return false
      return url.host === host?.toLowerCase() || (config.DEV_LOGIN && localNames.has(url.hostname))
    },
  }
}
