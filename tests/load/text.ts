/** 32 bits of a text (FNV-1a): what was sent is compared with what came without keeping either. */
export function textHash(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}

const FILLER = 'the quick brown fox jumps over the lazy dog, 敏捷的棕色狐狸跳过懒狗；'.repeat(120)
const TURNS = 97

/** A text of that many UTF-16 units that no other message has. */
export function textOf(msgId: string, index: number, units: number): string {
  const start = index % TURNS
  return `${msgId} ${FILLER.slice(start, start + units)}`.slice(0, Math.max(units, msgId.length))
}
