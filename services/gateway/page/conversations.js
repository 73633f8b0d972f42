/** A conversation on this page: `p<user>` or `g<group>`, its messages by msgId and sender, oldest first. */
export class Conversation {
  constructor({ peer, group, name }) {
    this.key = group === undefined ? `p${peer}` : `g${group}`
    this.peer = peer
    this.group = group
    this.name = name
    this.messages = []
    this.unread = 0
    this.hasOlder = false
    this.loaded = false
  }

  /** What names it in a call, and where a message to it goes. */
  get forHistory() {
    return this.group === undefined ? { chatUserId: this.peer } : { groupId: this.group }
  }

  get forSending() {
    return this.group === undefined ? { to: this.peer } : { group: this.group }
  }

  /** Puts a message where its seq says; one that is shown already is brought up to date. Answers whether it is new. */
  put(message) {
    const shown = this.messages.find((other) => other.from === message.from && other.msgId === message.msgId)
    if (shown) Object.assign(shown, message)
    else this.messages.push(message)
    this.messages.sort((one, other) => (one.seq ?? Number.MAX_VALUE) - (other.seq ?? Number.MAX_VALUE))
    return !shown
  }

  get oldestSeq() {
    return this.messages.find((message) => message.seq !== undefined)?.seq
  }
}

const words = { 2: '[image]', 3: '[location]', 4: '[audio]', img: '[image]', loc: '[location]', audio: '[audio]' }
const textOf = (type, text, { url, addr }) => [words[type], text || url || addr].filter(Boolean).join(' ')

/** A record of seed A's history. */
export const fromRecord = (record) => ({
  msgId: record.msg_id,
  from: Number(record.fromId),
  text: textOf(record.type, record.msg, record),
  at: record.timestamp,
  seq: record.seq,
})

/** A message of seed B, as it is delivered. */
export const fromDelivery = (message) => ({
  msgId: message.msgId,
  from: message.fromUserId,
  text: textOf(message.msgContentType, message.contentStr, message),
  at: message.serverReceiveDate,
  seq: message.seq,
})
