export { createMongoClient } from './client.ts'
export { documentSequence } from './document-sequence.ts'
export { knownStream } from './known-stream.ts'
