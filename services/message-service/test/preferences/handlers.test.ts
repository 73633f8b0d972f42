import type { Bus } from '@qunxin/bus'
import { BLOCKED_PER_PAGE, type PreferenceChange } from '@qunxin/contracts'
import t from 'tap'
import { preferenceHandlers } from '../../src/preferences/handlers.ts'
import { MemoryPreferences } from '../../src/store/memory-preferences.ts'

const context = { user: '1', requestId: 'r', deadline: Date.now() + 60_000 }

/** The owner is `answer`, which is given what is asked. */
function setup(preferences: MemoryPreferences, answer: (change: PreferenceChange) => Promise<{ done: boolean }>) {
  const bus = {
    connected: true,
    gather: async (_subject: string, payload: string) => [
      Buffer.from(JSON.stringify(await answer(JSON.parse(payload)))),
    ],
  } as unknown as Bus
  const membership = { memberOf: async () => ({ joinedAt: 1, joinedSeq: 0, role: 'member' as const }) }
  return preferenceHandlers({ bus, partitions: 1, preferences, membership })
}

t.test('the block list comes in pages, and only the last one has no next', async (t) => {
  const preferences = new MemoryPreferences()
  const others = Array.from({ length: 2 * BLOCKED_PER_PAGE }, (_, i) => i + 2)
  for (const other of others)
    await preferences.change({ user: '1', conversation: `p1-${other}`, version: 0, blocked: true })
  const handlers = setup(preferences, async () => ({ done: true }))
  const first = await handlers['message.blockList']({}, context)
  t.same(first, { userIds: others.slice(0, BLOCKED_PER_PAGE), next: others[BLOCKED_PER_PAGE - 1] })
  const second = await handlers['message.blockList']({ after: first.next }, context)
  t.same(second, { userIds: others.slice(BLOCKED_PER_PAGE) })
})

t.test('a change that another device was in front of is asked for once more, of the newer version', async (t) => {
  const preferences = new MemoryPreferences()
  const asked: number[] = []
  const handlers = setup(preferences, async (change) => {
    asked.push(change.version)
    if (asked.length === 1) await preferences.change({ ...change, blocked: false })
    return { done: (await preferences.change(change)) !== undefined }
  })
  t.same(await handlers['message.blockUser']({ blockUserId: '2' }, context), {})
  t.same(asked, [0, 1])
  t.same(await preferences.blockedBy('1', { after: 0, limit: 5 }), [2])
})
