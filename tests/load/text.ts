const OFFSET_BASIS = 0x811c9dc5
const PRIME = 0x01000193

/** 32 bits of a text (FNV-1a): what was sent is compared with what came without keeping either. */
export function textHash(text: string): number {
  let hash = HASH_OF_NOTHING
  for (let i = 0; i < text.length; i++) hash = hashedOn(hash, text.charCodeAt(i))
  return hash >>> 0
}

/** `textHash` unit by unit: begins here, and is a whole number of 32 bits, signed until `>>> 0` is taken of it. */
export const HASH_OF_NOTHING = OFFSET_BASIS

export function hashedOn(hash: number, unit: number): number {
  return Math.imul(hash ^ unit, PRIME)
}

/** What texts are filled with; nothing in it needs to be escaped in JSON. */
export const FILLER = 'the quick brown fox jumps over the lazy dog, 敏捷的棕色狐狸跳过懒狗；'.repeat(120)
const FILLER_UNITS = Uint16Array.from(FILLER, (unit) => unit.charCodeAt(0))
const TURNS = 97
const SPACE = 0x20

/** Where in the filler that message begins. */
export function fillerStart(index: number): number {
  return index % TURNS
}

/** How much of the filler stands behind a msgId of that length; a space comes before it wherever there is room for one. */
export function fillerUnits(msgIdLength: number, units: number): number {
  return Math.max(0, units - msgIdLength - 1)
}

/** A text of that many UTF-16 units that no other message has. */
export function textOf(msgId: string, index: number, units: number): string {
  const start = fillerStart(index)
  const text = units > msgId.length ? `${msgId} ` : msgId
  return text + FILLER.slice(start, start + fillerUnits(msgId.length, units))
}

/** `textHash` of that text, given the hash of its msgId alone. */
export function hashOfText(hashOfMsgId: number, { msgIdLength, index, units }: TextShape): number {
  let hash = hashOfMsgId
  if (units > msgIdLength) hash = hashedOn(hash, SPACE)
  const start = fillerStart(index)
  const end = Math.min(FILLER_UNITS.length, start + fillerUnits(msgIdLength, units))
  for (let i = start; i < end; i++) hash = hashedOn(hash, FILLER_UNITS[i] as number)
  return hash >>> 0
}

export interface TextShape {
  msgIdLength: number
  index: number
  units: number
}
