import type { Db, Document } from 'mongodb'
import type { Message } from '../domain/message.ts'
import { answered } from './answered.ts'
import { idOf, type MessageDocument } from './message-document.ts'

/** Updates in one command; a commit holds more messages, but hardly more changes. */
const UPDATES_AT_ONCE = 500

interface UpdateReply {
  writeErrors?: { errmsg?: string }[]
  writeConcernError?: { errmsg?: string }
}

type Change = Message & Required<Pick<Message, 'change'>>

/** {@link MessageLog.applyChanges} in MongoDB. */
export async function applyChanges(db: Db, messages: readonly Message[], writeConcern: Document): Promise<Message[]> {
  const changes = messages.filter((message): message is Change => message.change !== undefined)
  if (changes.length === 0) return [...messages]
  await update(db, changes.map(toTarget), writeConcern)
  const recalled = await recalledTargets(db, changes)
  if (recalled.size === 0) return [...messages]
  // What an edit wanted to say is gone with the message, whichever of the two came first.
  const inVain = changes.filter((change) => recalled.has(targetOf(change)))
  await update(db, inVain.map(toEdits), writeConcern)
  return messages.map((message) => (isInVain(message, recalled) ? { ...message, text: '', recalled: true } : message))
}

function toTarget({ conversation, change, at, text }: Change): Document {
  // The conversation as well: on a sharded cluster it says where.
  const target = { _id: idOf(conversation, change.seq), conversation, recalled: null }
  if (change.kind === 'edit') {
    return { q: { ...target, edited: { $not: { $gte: at } } }, u: { $set: { text, edited: at } } }
  }
  const u = { $set: { recalled: true, text: '' }, $unset: { attachment: '', edited: '' } }
  return { q: target, u }
}

function toEdits({ conversation, change }: Change): Document {
  const q = { conversation, 'change.seq': change.seq, 'change.kind': 'edit', recalled: null }
  return { q, u: { $set: { recalled: true, text: '' } }, multi: true }
}

const targetOf = ({ conversation, change }: Change) => idOf(conversation, change.seq)

function isInVain({ conversation, change }: Message, recalled: ReadonlySet<string>): boolean {
  return change?.kind === 'edit' && recalled.has(idOf(conversation, change.seq))
}

/** Behind the update, which has waited for a majority even where it changed nothing: a recall it met is read here. */
async function recalledTargets(db: Db, changes: readonly Change[]): Promise<Set<string>> {
  const messages = db.collection<MessageDocument>('messages')
  const found = messages
    .find({ _id: { $in: changes.map(targetOf) }, recalled: true })
    .project<{ _id: string }>({ _id: 1 })
  return new Set((await answered(found.toArray())).map(({ _id }) => _id))
}

async function update(db: Db, updates: readonly Document[], writeConcern: Document): Promise<void> {
  for (let at = 0; at < updates.length; at += UPDATES_AT_ONCE) {
    const some = updates.slice(at, at + UPDATES_AT_ONCE)
    const command = db.command({ update: 'messages', updates: some, ordered: false, writeConcern })
    const { writeErrors, writeConcernError } = (await answered(command)) as unknown as UpdateReply
    const problem = writeErrors?.[0] ?? writeConcernError
    if (problem) throw new Error(`changes of messages were not confirmed: ${problem.errmsg}`)
  }
}
