import { randomBytes, randomUUID } from 'node:crypto'

const TIME_DIGITS = 9

/** Milliseconds in base 36 with a fixed width, so that ids sort by the time they were made. */
const sortableTime = (now: number) => now.toString(36).padStart(TIME_DIGITS, '0')

/** `<time>-<random>`: sorted as text, a user's connections stand oldest first. */
export function connectionId(now = Date.now()): string {
  // The last part of a UUID is random, and comes from a supply: asking for a few bytes at a time takes several times as long.
  return `${sortableTime(now)}-${randomUUID().slice(-12)}`
}

/**
 * `<name>-<boot>`: a process that starts again is another node, which makes the id a fencing token: a late clean-up of the
 * old process cannot touch what the new one wrote. Fits into one token of a NATS subject.
 */
export function newNodeId(name: string, now = Date.now()): string {
  return `${name.replaceAll(/[^A-Za-z0-9_-]/g, '-')}-${sortableTime(now)}${randomBytes(3).toString('hex')}`
}
