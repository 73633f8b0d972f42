import { type Bus, eventsStreamName } from '@qunxin/bus'
import { groupConversation, type OfflineFact, personalConversation, type StoredFact } from '@qunxin/contracts'

export interface Published<F> {
  /** Nats-Msg-Id of its event. */
  id: string
  fact: F
}

/** `<conversation> <seq>`: names a fact for ever. */
export function nameOf({ sessionId, fromUserId, toUserId, seq }: StoredFact): string {
  const conversation = sessionId ? groupConversation(sessionId) : personalConversation(fromUserId, toUserId)
  return `${conversation} ${seq}`
}

/** Reads the stream of events of one system from its begin. */
export async function eventsOf(bus: Bus, prefix: string) {
  const { streams } = await bus.jetstreamManager()
  const name = eventsStreamName(prefix)
  const all = async <F>(what: string): Promise<Published<F>[]> => {
    const { state } = await streams.info(name)
    const facts: Published<F>[] = []
    if (state.messages === 0) return facts
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      const message = await streams.getMessage(name, { seq })
      if (message?.subject !== bus.subject(`event.message.${what}`)) continue
      const id = message.header.get('Nats-Msg-Id')
      facts.push(...message.json<F[]>().map((fact) => ({ id, fact })))
    }
    return facts
  }
  return {
    streams,
    name,
    stored: () => all<StoredFact>('stored'),
    offline: () => all<OfflineFact>('offline'),
    /** Those of these names that are in the stream. */
    names: async () => new Set((await all<StoredFact>('stored')).map(({ fact }) => nameOf(fact))),
  }
}
