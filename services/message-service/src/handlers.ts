import { actorOf, type HandlersOf } from '@qunxin/bus'
import { type BacklogPorts, readBacklog } from './reads/backlog.ts'
import { readRange } from './reads/range.ts'
import { loadRecords } from './reads/records.ts'

/** One key per operation of the area: what is missing does not compile. */
export function createHandlers(reads: BacklogPorts, send: HandlersOf<'message'>['message.send']) {
  return {
    'message.send': send,
    'message.loadChatRecords': (input, context) => loadRecords(reads, actorOf(context), input),
    'message.range': (input) => readRange(reads, input),
    'message.backlog': (input) => readBacklog(reads, input.userId),
  } satisfies HandlersOf<'message'>
}
