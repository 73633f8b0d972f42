import { type ByteWriter, type MsgModel, messageTag, ready } from '@qunxin/contracts'
import { isPlain, type Message } from '../domain/message.ts'
import { toMsgModel } from '../domain/present.ts'

const FROM = ready('{"tag":"message","data":{"fromUserId":')
const TO = ready(',"toUserId":')
const TEXT = ready(',"contentStr":')
const AT = ready(',"serverReceiveDate":')
const MSG_ID = ready(',"msgId":')
const TYPE = ready(',"msgContentType":')
const SESSION = ready(',"sessionId":')
const SEQ = ready(',"state":1,"seq":')
const SENT_AT = ready(',"sendDate":')
const END = ready('}}')

/** Writes the frame of a message: the text of `toMsgModel(message, 1)`, made without the model where that is easy. */
export function writeMessage(out: ByteWriter, message: Message): void {
  if (isPlain(message)) writePlain(out, message)
  else writeModel(out, toMsgModel(message, 1))
}

export function writeModel(out: ByteWriter, model: MsgModel): void {
  out.text(`{"tag":"${messageTag(model)}","data":${JSON.stringify(model)}}`)
}

function writePlain(out: ByteWriter, message: Message): void {
  const { from, to, group, utf8, at, msgId, type, seq, sentAt } = message
  out.put(FROM)
  out.number(Number(from))
  out.put(TO)
  out.number(group === undefined ? Number(to) : 0)
  out.put(TEXT)
  if (utf8) out.quoted(utf8)
  else out.json(message.text)
  out.put(AT)
  out.number(at)
  out.put(MSG_ID)
  out.json(msgId)
  out.put(TYPE)
  out.number(type)
  out.put(SESSION)
  out.json(group ?? '')
  out.put(SEQ)
  out.number(seq)
  if (sentAt !== undefined) {
    out.put(SENT_AT)
    out.number(sentAt)
  }
  out.put(END)
}
