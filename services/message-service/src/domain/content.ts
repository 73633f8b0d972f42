import { hash } from 'node:crypto'
import { type Attachment, type ContentType, contentTypes, isContentType } from '@qunxin/contracts'

interface Content {
  type: ContentType
  text: string
  attachment?: Attachment
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

/** Protocol §4.2: other content means the text, the type or an attachment field differs. 131 bits of SHA-256. */
export function contentHash(content: Content): string {
  const attachment = attachmentOf(content.type, content.attachment)
  const body = attachment
    ? JSON.stringify([content.type, content.text, attachment])
    : `${content.type}\n${content.text}`
  return hash('sha256', body, 'base64url').slice(0, HASH_CHARACTERS)
}
