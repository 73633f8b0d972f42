/** 128 random bits. Not `randomUUID`: browsers offer that one over https only. */
export function newMsgId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
