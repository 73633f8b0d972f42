import { z } from 'zod'
import type { ConversationId } from '../conversation.ts'
import type { UserId } from '../ids.ts'
import { ByteWriter } from './byte-writer.ts'
import { type Frame, HeaderWriter, readHeader } from './delivery-header.ts'
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
 * hold integers exactly), 4 bytes length of the header (all big endian), the header (see delivery-header.ts), then the frames'
 * bytes one behind the other. Without items it only says how far the stream goes: `number` is that of the newest one.
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

const decoder = new TextDecoder()

const PLACE_BYTES = 16
const PREFIX_BYTES = PLACE_BYTES + 4

/** Where encoders write; taken by those that come next. */
const spare: ByteWriter[] = []

/** Writes one delivery item by item. Its place is written last, by {@link placeDelivery}. */
export class DeliveryEncoder {
  readonly #header = spare.pop() ?? new ByteWriter()
  readonly #bodies = spare.pop() ?? new ByteWriter()
  readonly #items: HeaderWriter

  constructor(from: string) {
    this.#items = new HeaderWriter(this.#header, from)
  }

  /** The frame's text is the first `size` bytes of `body`. */
  frame(frame: Frame, body: Uint8Array, size = body.length): void {
    this.#items.frame(frame, size)
    this.#bodies.put(body, size)
  }

  answer(answer: SendAnswer): void {
    this.#items.answer(answer)
  }

  /** To be called once, as the last thing. */
  finish(): Uint8Array {
    const header = this.#header
    const bodies = this.#bodies
    this.#items.finish()
    const bytes = new Uint8Array(PREFIX_BYTES + header.length + bodies.length)
    new DataView(bytes.buffer).setUint32(PLACE_BYTES, header.length)
    bytes.set(header.bytes.subarray(0, header.length), PREFIX_BYTES)
    bytes.set(bodies.bytes.subarray(0, bodies.length), PREFIX_BYTES + header.length)
    for (const writer of [header, bodies]) {
      writer.length = 0
      spare.push(writer)
    }
    return bytes
  }
}

/** `bodies` holds one entry per frame item, in the same order. Its place is written last, by {@link placeDelivery}. */
export function encodeDelivery(delivery: Delivery, bodies: readonly Uint8Array[]): Uint8Array {
  const encoder = new DeliveryEncoder(delivery.from)
  let next = 0
  for (const item of delivery.items) {
    if (item.kind === 'answer') encoder.answer(item.answer)
    else encoder.frame(item, bodies[next++] as Uint8Array)
  }
  return encoder.finish()
}

/** Writes the place into the bytes themselves, as often as they are published. */
export function placeDelivery(bytes: Uint8Array, { number, oldest }: DeliveryPlace): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  view.setFloat64(0, number)
  view.setFloat64(8, oldest)
}

/**
 * The bodies are views into `bytes`, one per frame item: nothing is copied.
 *
 * @throws when it is no delivery
 */
export function decodeDelivery(bytes: Uint8Array): { place: DeliveryPlace; delivery: Delivery; bodies: Uint8Array[] } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const place = { number: view.getFloat64(0), oldest: view.getFloat64(8) }
  let at = PREFIX_BYTES + view.getUint32(PLACE_BYTES)
  const delivery = readHeader(decoder.decode(bytes.subarray(PREFIX_BYTES, at)))
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
