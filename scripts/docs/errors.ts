import { closeCodes, errors } from '../../packages/contracts/src/index.ts'
import { code, table } from './markdown.ts'

export function errorTable(): string {
  const rows = Object.entries(errors).map(([word, entry]) => [
    `${entry.number}`,
    code(word),
    `${entry.status}`,
    entry.retryable ? 'yes' : '',
    entry.zh,
    entry.en,
  ])
  return table(['number', 'word', 'HTTP', 'retry', 'text', 'in English'], rows)
}

export function closeCodeTable(): string {
  const rows = Object.entries(closeCodes).map(([number, { name, reconnect }]) => [number, name, reconnect])
  return table(['code', 'meaning', 'reconnect?'], rows)
}
