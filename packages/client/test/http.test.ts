import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createHttp } from '../src/index.ts'

t.test('a call is wrapped as seed A wants it, and its data or refusal unwrapped', async (t) => {
  const seen: unknown[] = []
  const server = createServer(async (request, response) => {
    let text = ''
    for await (const chunk of request) text += chunk
    const { headers, data } = JSON.parse(text)
    seen.push({ path: request.url, headers, data })
    const answer = data.groupId
      ? { success: true, info: '申请入群成功' }
      : { success: false, info: '群不存在或已解散', code: 'GROUP_NOT_FOUND' }
    response.end(JSON.stringify({ headers, data: answer }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const http = createHttp({ url, userId: 42, accessToken: 'secret', client: 'test' })
  t.match(await http.post('/chat/group!joinGroup', { groupId: '7' }), { info: '申请入群成功' })
  await t.rejects(http.post('/chat/group!joinGroup'), { code: 'GROUP_NOT_FOUND', info: '群不存在或已解散' })
  t.same(seen[0], {
    path: '/chat/group!joinGroup',
    headers: { uid: '42', accessToken: 'secret', client: 'test' },
    data: { groupId: '7' },
  })
})
