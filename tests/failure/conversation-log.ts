import type { Person } from '../people.ts'
import type { Data } from '../raw-socket.ts'

/** A whole conversation as its history shows it, page by page. */
export async function readConversation(
  reader: Person,
  named: { chatUserId: string } | { groupId: string },
): Promise<Data[]> {
  const records: Data[] = []
  for (;;) {
    const lastTime = records.at(-1)?.timestamp ?? 0
    const { data } = await reader.post('/chat/chat!loadChatRecords', { ...named, lastTime, pageSize: 200 })
    if (!data.success) throw new Error(`history was refused: ${JSON.stringify(data)}`)
    if (data.recordList.length === 0) return records
    records.push(...data.recordList)
  }
}
