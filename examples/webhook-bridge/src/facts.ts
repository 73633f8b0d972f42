/** One fact and the subject it came by: what the webhook gets a list of. */
export interface Fact {
  subject: string
  fact: FactData
}

/** Of the many fields of a fact, those the bridge looks at; the webhook gets all of them. */
export interface FactData {
  seq?: number
  sessionId?: string
  fromUserId?: string
  toUserId?: string
  userIds?: string[]
  mutedUserIds?: string[]
  [field: string]: unknown
}

/**
 * The facts of one event: a message event carries an array, a group event one.
 *
 * @throws SyntaxError when it is no JSON
 */
export function factsOf(subject: string, payload: string): Fact[] {
  const data = JSON.parse(payload) as FactData | FactData[]
  return (Array.isArray(data) ? data : [data]).map((fact) => ({ subject, fact }))
}

/**
 * What is left of a fact when what was sent before is taken away; undefined when that is nothing. Message facts come at least
 * once, and not always in the same events: the conversation and seq name them, with the user where somebody was offline.
 */
export function unsent({ subject, fact }: Fact, wasSent: (key: string) => boolean): Fact | undefined {
  const name = nameOf(fact)
  if (name === undefined) return { subject, fact }
  const { userIds, mutedUserIds } = fact
  if (!userIds) return wasSent(name) ? undefined : { subject, fact }
  const users = new Set(userIds.filter((user) => !wasSent(`${name}/${user}`)))
  if (users.size === 0) return undefined
  const rest: FactData = { ...fact, userIds: [...users] }
  if (mutedUserIds) rest.mutedUserIds = mutedUserIds.filter((user) => users.has(user))
  return { subject, fact: rest }
}

/** The keys to remember of a fact that was sent. */
export function keysOf({ fact }: Fact): string[] {
  const name = nameOf(fact)
  if (name === undefined) return []
  return fact.userIds ? fact.userIds.map((user) => `${name}/${user}`) : [name]
}

/** Of a message: its conversation and seq, which are never used again. */
function nameOf({ seq, sessionId, fromUserId, toUserId }: FactData): string | undefined {
  if (seq === undefined) return undefined
  return `${sessionId || [fromUserId, toUserId].sort().join('-')}:${seq}`
}
