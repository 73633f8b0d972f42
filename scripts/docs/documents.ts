import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { asyncApi } from './asyncapi.ts'
import { closeCodeTable, errorTable } from './errors.ts'
import { fillIn } from './markdown.ts'
import { metricsTable } from './metrics.ts'
import { openApi } from './openapi.ts'
import { callPages, callTable, operationTexts, subjectTable } from './operations.ts'
import { REPOSITORY } from './repository.ts'
import { settingsTable } from './settings.ts'

export interface Document {
  /** Below the repository's root. */
  path: string
  text: string
}

/** Every page and document that repeats what the contracts, the surface and the settings say, as it should be now. */
export async function documents(): Promise<Document[]> {
  const texts = await operationTexts()
  return [
    await page('docs/protocol.md', {
      calls: callTable(),
      errors: errorTable(),
      'close-codes': closeCodeTable(),
      subjects: subjectTable(texts),
    }),
    await page('docs/operations.md', {
      common: await settingsTable('common'),
      gateway: await settingsTable('gateway'),
      'group-service': await settingsTable('group-service'),
      'message-service': await settingsTable('message-service'),
      metrics: await metricsTable(),
    }),
    {
      path: 'docs/generated/calls.md',
      text: `# The calls, field by field\n\nMade by \`node scripts/docs/main.ts\` from packages/contracts and the gateway's surface table; rules and errors are in [protocol.md](../protocol.md).\n\n${callPages(texts)}\n`,
    },
    { path: 'docs/generated/openapi.json', text: `${JSON.stringify(await openApi(), null, 2)}\n` },
    { path: 'docs/generated/asyncapi.json', text: `${JSON.stringify(await asyncApi(), null, 2)}\n` },
  ]
}

async function page(path: string, sections: Record<string, string>): Promise<Document> {
  return { path, text: fillIn(await readFile(join(REPOSITORY, path), 'utf8'), sections) }
}
