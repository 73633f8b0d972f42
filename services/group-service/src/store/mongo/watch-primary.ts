import type { MongoClient } from 'mongodb'

const WRITABLE = new Set(['ReplicaSetWithPrimary', 'Sharded', 'Single', 'LoadBalanced'])

/** Calls back whenever the set gets or loses a server that takes writes, as far as this client sees. */
export function watchPrimary(client: MongoClient, onChange: (writable: boolean) => void): void {
  let writable: boolean | undefined
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    const now = WRITABLE.has(newDescription.type)
    if (now !== writable) onChange(now)
    writable = now
  })
}
