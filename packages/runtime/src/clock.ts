/** Milliseconds since 1970. Domains take it as a port, so that tests can set the time. */
export interface Clock {
  now(): number
}

export const systemClock: Clock = { now: () => Date.now() }
