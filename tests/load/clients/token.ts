import { createHmac } from 'node:crypto'

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const HEADER = part({ alg: 'HS256' })

/** A user's token as the login server outside the system makes them, here and now: thousands are made before a clock starts. */
export function signToken(secret: string, user: string, expiresInSeconds: number): string {
  const now = Math.floor(Date.now() / 1000)
  const signed = `${HEADER}.${part({ iat: now, sub: user, exp: now + expiresInSeconds })}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}
