import { hash } from 'node:crypto'
import { type Attachment, type ContentType, contentTypes, isContentType, type MessageChange } from '@qunxin/contracts'

interface Content {
  type: ContentType
  text: string
  /** The same as UTF-8, where it is at hand. */
  utf8?: Uint8Array | undefined
  attachment?: Attachment
  change?: MessageChange
}

const HASH_CHARACTERS = 22
const DIGIT_ZERO = 0x30
const NEWLINE = 0x0a

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
  const { type, utf8, change } = content
  if (utf8 && !change && !attachment) return digest(bodyOf(type, utf8))
  const { text } = content
  let body = `${type}\n${text}`
  // No text begins a body with a bracket: it has the type in front.
  if (change) body = JSON.stringify([change.kind, change.seq, type, text])
  else if (attachment) body = JSON.stringify([type, text, attachment])
  return digest(body)
}

function digest(body: string | Uint8Array): string {
  return hash('sha256', body, 'base64url').slice(0, HASH_CHARACTERS)
}

let scratch = Buffer.allocUnsafe(4_096)

/** Good until the next one. */
function bodyOf(type: ContentType, utf8: Uint8Array): Uint8Array {
  const length = utf8.length + 2
  if (length > scratch.length) scratch = Buffer.allocUnsafe(2 * length)
  // One digit, for as long as there are fewer than ten types.
  scratch[0] = DIGIT_ZERO + type
  scratch[1] = NEWLINE
  scratch.set(utf8, 2)
  return scratch.subarray(0, length)
}
