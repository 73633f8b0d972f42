import type { ConversationId } from '../conversation.ts'
import type { UserId } from '../ids.ts'
import type { SendAnswer } from './send.ts'

/** One frame for the sockets of some users on one node. Its text travels behind the header, not inside it. */
export interface FrameItem {
  kind: 'frame'
  /** Bytes of the ready-made frame text `{"tag":…,"data":…}` behind the header. */
  size: number
  users: UserId[]
  /** A connection that must not get it: the one that sent it. */
  except?: string
  /** Messages only; pushes have none and are written as they come. */
  conversation?: ConversationId
  seq?: number
  /** Set when a message is fanned out again: a connection that still waits for this send's answer must not be shown it. */
  again?: { from: UserId; msgId: string }
}

export interface AnswerItem {
  kind: 'answer'
  answer: SendAnswer
}

/**
 * subjects.gatewayDeliver: what one commit means for one node, in order of commit. On the wire: 4 bytes length of the
 * header (big endian), the header as JSON, then the frames' bytes one behind the other.
 */
export interface Delivery {
  /** The message-service instance it comes from. */
  from: string
  items: (FrameItem | AnswerItem)[]
}

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** `bodies` holds one entry per frame item, in the same order. */
export function encodeDelivery(delivery: Delivery, bodies: readonly Uint8Array[]): Uint8Array {
  const header = encoder.encode(JSON.stringify(delivery))
  const total = bodies.reduce((sum, body) => sum + body.length, 4 + header.length)
  const bytes = new Uint8Array(total)
  new DataView(bytes.buffer).setUint32(0, header.length)
  bytes.set(header, 4)
  let at = 4 + header.length
  for (const body of bodies) {
    bytes.set(body, at)
    at += body.length
  }
  return bytes
}

/** The bodies are views into `bytes`, one per frame item: nothing is copied. */
export function decodeDelivery(bytes: Uint8Array): { delivery: Delivery; bodies: Uint8Array[] } {
  const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
  const delivery = JSON.parse(decoder.decode(bytes.subarray(4, 4 + length))) as Delivery
  const bodies: Uint8Array[] = []
  let at = 4 + length
  for (const item of delivery.items) {
    if (item.kind !== 'frame') continue
    bodies.push(bytes.subarray(at, at + item.size))
    at += item.size
  }
  return { delivery, bodies }
}

/** The most one delivery may carry: users plus answers, and bytes. */
export const DELIVERY_LIMITS = { bytes: 512 * 1024, entries: 1000 }
