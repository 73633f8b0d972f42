import { type MsgModel, messageTag } from '@qunxin/contracts'
import { frameOf } from '../socket/wire.ts'

/** An entry of the log as the frame its receivers get. */
export function messageFrame(message: MsgModel): Buffer {
  return frameOf(JSON.stringify({ tag: messageTag(message), data: message }))
}
