export { createMongoClient } from './client.ts'
export { knownStream } from './known-stream.ts'
