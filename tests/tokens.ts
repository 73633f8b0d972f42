import { SignJWT } from 'jose'

/** As the login server outside the system makes them. `expiresIn` in seconds, below 0 for one that has expired. */
export async function makeToken(
  secret: string,
  claims: { sub: string; client?: string; iat?: number },
  expiresIn = 3600,
): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ iat: now, ...claims, exp: now + expiresIn })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}
