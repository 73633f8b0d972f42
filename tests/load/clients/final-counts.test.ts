import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import { play, smallStory } from '../check/story.ts'
import { readFinalCounts } from './final-counts.ts'
import type { RunClient } from './run-client.ts'

/** A gateway that answers each user's calls of a path from their list, the last answer again and again. */
async function answering(t: Test, answers: Record<string, object[]>) {
  const asked: Record<string, number> = {}
  const server = createServer(async (request, response) => {
    const { headers } = (await json(request)) as { headers: { uid: string } }
    const call = `${headers.uid} ${request.url}`
    const all = answers[call] ?? []
    const number = asked[call] ?? 0
    asked[call] = number + 1
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ data: { success: true, ...all[Math.min(number, all.length - 1)] } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked }
}

t.test('what was said right at the end may be on its way still: lists and receipts are asked for again', async (t) => {
  // User 1 has sent three messages, and user 2 has said that it has read them.
  const history = play({ ...smallStory(), marks: [{ client: 1, conversation: 0, seq: 3 }] })
  const receipts = (readCount: number) => ({
    ...{ deliveredCount: 1, readCount, total: 1 },
    members: [{ userId: 2, state: readCount === 1 ? 3 : 2 }],
  })
  const list = (readSeq: number) => ({
    conversations: [{ sessionId: '', peerUserId: 1, deliveredSeq: 3, readSeq, unread: 3 - readSeq, lastSeq: 3 }],
  })
  const { url, asked } = await answering(t, {
    '1 /chat/chat!queryReceipts': [receipts(0), receipts(1)],
    '1 /chat/chat!conversationList': [{ conversations: [] }],
    '2 /chat/chat!conversationList': [list(0), list(3)],
  })
  const clients = [1, 2].map((userId, index) => ({ index, userId, accessToken: 'secret' }) as RunClient)
  await readFinalCounts({ target: { urls: [url] }, history, clients, progress: () => {} })
  t.same(history.receipts, [{ conversation: 0, seq: 3, deliveredCount: 1, readCount: 1, total: 1, readers: [2] }])
  t.match(history.standings.at(-1), { client: 1, conversation: 0, readSeq: 3, unread: 0 })
  t.same(asked, {
    '1 /chat/chat!queryReceipts': 2,
    '1 /chat/chat!conversationList': 1,
    '2 /chat/chat!conversationList': 2,
  })
})
