import type { Db } from 'mongodb'

interface SettingDocument {
  _id: string
  value: number
}

/** The number of partitions this system was begun with; the first process to ask fixes it. */
export async function partitionsInForce(db: Db, configured: number): Promise<number> {
  const settings = db.collection<SettingDocument>('settings')
  const stored = await settings.findOneAndUpdate(
    { _id: 'partitions' },
    { $setOnInsert: { value: configured } },
    { upsert: true, returnDocument: 'after' },
  )
  return stored?.value ?? configured
}
