import { createHttp } from '@qunxin/client'
import type { RunClient } from '../clients/run-client.ts'
import type { Target } from '../target.ts'

/** Of one request (protocol §2). */
const MEMBERS_A_REQUEST = 500

/** Has the client make a group of those users and itself; returns its id. */
export async function createGroup(
  { urls }: Pick<Target, 'urls'>,
  { userId, accessToken }: RunClient,
  { memberIds, progress }: { memberIds: readonly number[]; progress(line: string): void },
): Promise<string> {
  const http = createHttp({ url: urls[0] as string, userId, accessToken })
  const slices = Array.from({ length: Math.ceil(memberIds.length / MEMBERS_A_REQUEST) }, (_, i) =>
    memberIds.slice(i * MEMBERS_A_REQUEST, (i + 1) * MEMBERS_A_REQUEST),
  )
  const first = { groupName: 'load', memberIds: slices.shift() ?? [] }
  const { groupId } = await http.post<{ groupId: string }>('/chat/group!createGroup', first)
  for (const [done, slice] of slices.entries()) {
    await http.post('/chat/group!addGroupMembers', { groupId, memberIds: slice })
    progress(`${Math.min((done + 2) * MEMBERS_A_REQUEST, memberIds.length)} of ${memberIds.length} members`)
  }
  return groupId
}
