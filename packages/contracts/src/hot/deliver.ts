import { z } from 'zod'
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
  /** What it is about, if that is one conversation. */
  conversation?: ConversationId
  /** Messages only; pushes have none and are written as they come. */
  seq?: number
  /**
   * Of a messageState: a connection that was shown further ones of the same is not shown these. `of` names the user whose cursors
   * they are, or the message whose counts and the membership they are of.
   */
  cursor?: { of: string; delivered: number; read: number }
  /** Set when a message is fanned out again: a connection that still waits for this send's answer must not be shown it. */
  again?: { from: UserId; msgId: string }
}

export interface AnswerItem {
  kind: 'answer'
  answer: SendAnswer
}

/**
 * subjects.gatewayDeliver: what one commit means for one node, in order of commit. On the wire: its place (two doubles, which
 * hold integers exactly), 4 bytes length of the header (all big endian), the header as JSON, then the frames' bytes one
 * behind the other. Without items it only says how far the stream goes: `number` is that of the newest one.
 */
export interface Delivery {
  /** The message-service instance it comes from. */
  from: string
  items: (FrameItem | AnswerItem)[]
}

/** Where a delivery stands among those of one instance for one node. */
export interface DeliveryPlace {
  /** Counts up by one from 1. */
  number: number
  /** The oldest one the instance can still publish again: what is older was confirmed, or given up. */
  oldest: number
}

/** subjects.messageConfirm: a node has taken everything up to that number; `again` asks for what comes behind it. */
export const deliveryConfirm = z.object({
  node: z.string(),
  confirmed: z.number(),
  again: z.boolean().default(false),
})
export type DeliveryConfirm = z.input<typeof deliveryConfirm>

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const PLACE_BYTES = 16
const PREFIX_BYTES = PLACE_BYTES + 4

/** `bodies` holds one entry per frame item, in the same order. Its place is written last, by {@link placeDelivery}. */
export function encodeDelivery(delivery: Delivery, bodies: readonly Uint8Array[]): Uint8Array {
  const header = encoder.encode(JSON.stringify(delivery))
  const total = bodies.reduce((sum, body) => sum + body.length, PREFIX_BYTES + header.length)
  const bytes = new Uint8Array(total)
  new DataView(bytes.buffer).setUint32(PLACE_BYTES, header.length)
  bytes.set(header, PREFIX_BYTES)
  let at = PREFIX_BYTES + header.length
  for (const body of bodies) {
    bytes.set(body, at)
    at += body.length
  }
  return bytes
}

/** Writes the place into the bytes themselves, as often as they are published. */
export function placeDelivery(bytes: Uint8Array, { number, oldest }: DeliveryPlace): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setFloat64(0, number)
  view.setFloat64(8, oldest)
}

/** The bodies are views into `bytes`, one per frame item: nothing is copied. */
export function decodeDelivery(bytes: Uint8Array): { place: DeliveryPlace; delivery: Delivery; bodies: Uint8Array[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const place = { number: view.getFloat64(0), oldest: view.getFloat64(8) }
  let at = PREFIX_BYTES + view.getUint32(PLACE_BYTES)
  const delivery = JSON.parse(decoder.decode(bytes.subarray(PREFIX_BYTES, at))) as Delivery
  const bodies: Uint8Array[] = []
  for (const item of delivery.items) {
    if (item.kind !== 'frame') continue
    bodies.push(bytes.subarray(at, at + item.size))
    at += item.size
  }
  return { place, delivery, bodies }
}

/** The most one delivery may carry: users plus answers, and bytes. */
export const DELIVERY_LIMITS = { bytes: 512 * 1024, entries: 1000 }
