import { SignJWT } from 'jose'

export const SECRET = 'a secret of at least thirty-two bytes'

/** `sub` 1000221, good for an hour, unless `claims` says otherwise; undefined leaves a claim out. */
export async function token(claims: Record<string, unknown> = {}, secret = SECRET): Promise<string> {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ sub: '1000221', iat: now, exp: now + 3600, ...claims })
    .setProtectedHeader({ alg: 'HS256' })
    .sign(new TextEncoder().encode(secret))
}

export const inAnHour = () => Math.floor(Date.now() / 1000) + 3600
export const anHourAgo = () => Math.floor(Date.now() / 1000) - 3600
