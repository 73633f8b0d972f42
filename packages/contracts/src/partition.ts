import type { ConversationId } from './conversation.ts'

export const DEFAULT_PARTITIONS = 64

/** FNV-1a over UTF-16 units with a final avalanche: cheap, and the same in every process and in a browser. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

export function partitionOf(conversation: ConversationId, partitions: number): number {
  return hash32(conversation) % partitions
}

/** Rendezvous hashing: the instance with the highest hash owns the partition, so a change of instances moves only what it must. */
export function ownerOf(partition: number, instances: Iterable<string>): string | undefined {
  let owner: string | undefined
  let best = -1
  for (const instance of instances) {
    const weight = hash32(`${instance}/${partition}`)
    if (weight > best || (weight === best && owner !== undefined && instance > owner)) {
      owner = instance
      best = weight
    }
  }
  return owner
}
