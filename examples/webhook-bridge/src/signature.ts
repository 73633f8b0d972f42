import { createHmac, timingSafeEqual } from 'node:crypto'

/** A request older than this is not taken: nobody can send it once more later. */
const VALID_SECONDS = 300

/** The headers that prove who sent these bytes, and when: HMAC-SHA256 of `<timestamp>.<body>`. */
export function sign(body: string, secret: string, now = Date.now()): Record<string, string> {
  const timestamp = String(Math.floor(now / 1000))
  return { 'x-timestamp': timestamp, 'x-signature': `sha256=${digest(body, secret, timestamp)}` }
}

/** For the other side: is this raw body one that we signed within the last five minutes? */
export function verify(
  body: string,
  secret: string,
  { timestamp, signature, now = Date.now() }: { timestamp: string; signature: string; now?: number },
): boolean {
  const expected = Buffer.from(`sha256=${digest(body, secret, timestamp)}`)
  const given = Buffer.from(signature)
  const isFresh = Math.abs(now / 1000 - Number(timestamp)) <= VALID_SECONDS
  return isFresh && given.length === expected.length && timingSafeEqual(given, expected)
}

function digest(body: string, secret: string, timestamp: string): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')
}
