import { actorOf, type HandlersOf } from '@qunxin/bus'
import { type BacklogPorts, readBacklog } from './reads/backlog.ts'
import { type BehindPorts, readBehind } from './reads/behind.ts'
import { listConversations, type OverviewPorts } from './reads/conversation-list.ts'
import { type QueryReceiptsPorts, readReceipts } from './reads/query-receipts.ts'
import { type RangePorts, readRange } from './reads/range.ts'
import { ReadGate } from './reads/read-gate.ts'
import { loadRecords, type ReadPorts } from './reads/records.ts'
import { readSync } from './reads/sync.ts'

/**
 * History is what clients ask for as they like; holes and backlogs keep connections waiting, so no flood of the one stands in
 * front of the others. All together they are fewer than the bus lets be under way, so that sends are always served.
 */
export function createReadGates() {
  return {
    changes: new ReadGate({ atOnce: 8, waiting: 400 }),
    history: new ReadGate({ atOnce: 8, waiting: 400 }),
    ranges: new ReadGate({ atOnce: 8, waiting: 400 }),
    backlogs: new ReadGate({ atOnce: 16, waiting: 800 }),
    // Each is of hundreds of users.
    behind: new ReadGate({ atOnce: 2, waiting: 300 }),
    presence: new ReadGate({ atOnce: 4, waiting: 100 }),
    receipts: new ReadGate({ atOnce: 8, waiting: 400 }),
    lists: new ReadGate({ atOnce: 8, waiting: 400 }),
    // Everybody comes at once when a gateway was gone.
    syncs: new ReadGate({ atOnce: 8, waiting: 800 }),
    // Each may wait for a group-service that is away until nobody waits for it any more.
    groupBacklogs: new ReadGate({ atOnce: 16, waiting: 200 }),
  }
}

export type ReadGates = ReturnType<typeof createReadGates>

/** One key per operation of the area: what is missing does not compile. `others` are those that go to a partition's owner. */
export function createHandlers(
  reads: BacklogPorts &
    BehindPorts &
    ReadPorts &
    RangePorts &
    OverviewPorts &
    Pick<QueryReceiptsPorts, 'memberCursors'> & { gates: ReadGates },
  others: Omit<
    HandlersOf<'message'>,
    `message.${'queryReceipts' | 'conversationList' | 'sync' | 'loadChatRecords' | 'range' | 'backlog' | 'behind'}`
  >,
) {
  const { history, ranges, backlogs, behind, groupBacklogs, receipts, lists, syncs } = reads.gates
  return {
    'message.send': others['message.send'],
    'message.recallMessage': others['message.recallMessage'],
    'message.editMessage': others['message.editMessage'],
    'message.messageReceived': others['message.messageReceived'],
    'message.messageRead': others['message.messageRead'],
    'message.queryReceipts': (input, context) =>
      receipts.run(context.deadline, () => readReceipts(reads, actorOf(context), input)),
    'message.conversationList': (input, context) =>
      lists.run(context.deadline, () => listConversations(reads, actorOf(context), input)),
    'message.sync': (input, context) => syncs.run(context.deadline, () => readSync(reads, actorOf(context), input)),
    'message.blockUser': others['message.blockUser'],
    'message.unblockUser': others['message.unblockUser'],
    'message.blockList': others['message.blockList'],
    'message.muteConversation': others['message.muteConversation'],
    'message.typing': others['message.typing'],
    'message.queryPresence': others['message.queryPresence'],
    'message.loadChatRecords': (input, context) =>
      history.run(context.deadline, () => loadRecords(reads, actorOf(context), input)),
    'message.range': (input, { deadline }) => ranges.run(deadline, () => readRange(reads, input)),
    'message.backlog': ({ userId, groups }, { deadline }) =>
      (groups === 'only' ? groupBacklogs : backlogs).run(deadline, () => readBacklog(reads, userId, groups)),
    'message.behind': ({ userIds, messages }, { deadline }) =>
      behind.run(deadline, () => readBehind(reads, userIds, messages)),
  } satisfies HandlersOf<'message'>
}
