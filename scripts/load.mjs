import { handOver } from './hand-over.mjs'

await handOver({ script: 'tests/load/main.ts', progress: (line) => console.error(`· ${line}`) })
