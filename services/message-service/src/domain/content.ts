import { hash } from 'node:crypto'
import { type Attachment, type ContentType, contentTypes, isContentType, type MessageChange } from '@qunxin/contracts'

interface Content {
  type: ContentType
  text: string
  attachment?: Attachment
  change?: MessageChange
}

const HASH_CHARACTERS = 22

/** Keeps the attachment fields a message of that type has; undefined when none was given. */
export function attachmentOf(type: number, given: Attachment | undefined): Attachment | undefined {
  if (!given || !isContentType(type)) return undefined
  let kept: Record<string, string | number> | undefined
  for (const field of contentTypes[type].fields) {
    const value = given[field]
    if (value === undefined) continue
    kept ??= {}
    kept[field] = value
  }
  return kept
}

/** Protocol §4.2: other content means the text, the type or an attachment field differs, or what is changed. 131 bits of SHA-256. */
export function contentHash(content: Content): string {
  const attachment = attachmentOf(content.type, content.attachment)
  const { type, text, change } = content
  let body = `${type}\n${text}`
  // No text begins a body with a bracket: it has the type in front.
  if (change) body = JSON.stringify([change.kind, change.seq, type, text])
  else if (attachment) body = JSON.stringify([type, text, attachment])
  return hash('sha256', body, 'base64url').slice(0, HASH_CHARACTERS)
}
