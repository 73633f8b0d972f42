import type { MongoClient } from 'mongodb'

const WRITABLE = new Set<string>(['RSPrimary', 'Mongos', 'LoadBalancer'])

/** Calls back whenever the set gets or loses a server that takes writes, as far as this client sees. */
export function watchPrimary(client: MongoClient, onChange: (writable: boolean) => void): void {
  let writable: boolean | undefined
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    const now = [...newDescription.servers.values()].some(({ type }) => WRITABLE.has(type))
    if (now !== writable) onChange(now)
    writable = now
  })
}
