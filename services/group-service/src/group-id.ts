import { randomInt } from 'node:crypto'
import type { GroupId } from '@qunxin/contracts'

/** 15 random digits, the first not 0: it cannot be guessed, and as a number it is still exact in JavaScript. */
export function newGroupId(): GroupId {
  return String(randomInt(1, 10)) + String(randomInt(0, 10 ** 14)).padStart(14, '0')
}
