import type { Db } from 'mongodb'

/** Which stream of events a service has published to last: when that stream was made. */
export function knownStream(db: Db, service: string) {
  const settings = db.collection<{ _id: string; value: string }>('settings')
  const _id = `eventsStream:${service}`
  return {
    read: async (): Promise<string | undefined> => (await settings.findOne({ _id }))?.value,
    write: async (created: string): Promise<void> => {
      await settings.updateOne({ _id }, { $set: { value: created } }, { upsert: true })
    },
  }
}
