import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { documents } from '../../scripts/docs/documents.ts'
import { REPOSITORY } from '../../scripts/docs/repository.ts'
import { configs, type ServiceName, settingsOf } from '../../scripts/docs/settings.ts'
import { surface } from '../../services/gateway/src/surface.ts'

t.test('docs/ says what the code says; if not, run: node scripts/docs/main.ts', async (t) => {
  for (const { path, text } of await documents()) {
    const committed = await readFile(join(REPOSITORY, path), 'utf8').catch(() => '')
    t.ok(committed === text, `${path} is current`)
  }
})

t.test('every call has a rule in the protocol page', async (t) => {
  const page = await readFile(join(REPOSITORY, 'docs', 'protocol.md'), 'utf8')
  const rules = page.slice(page.indexOf('### Rules'))
  for (const { tag } of surface) t.ok(rules.includes(`\n| \`${tag}\` |`), tag)
})

t.test('every setting says what it is for', async (t) => {
  for (const service of Object.keys(configs) as ServiceName[]) {
    for (const { name, text } of await settingsOf(service)) t.ok(text, `${service} ${name}`)
  }
})

t.test('every reference inside the OpenAPI and AsyncAPI documents leads somewhere', async (t) => {
  for (const { path, text } of await documents()) {
    if (!path.endsWith('.json')) continue
    const document: unknown = JSON.parse(text)
    const missing = [...text.matchAll(/"\$ref": "#\/([^"]+)"/g)]
      .map((found) => found[1] ?? '')
      .filter((pointer) => follow(document, pointer) === undefined)
    t.strictSame(missing, [], path)
  }
})

t.test('the OpenAPI document has every call', async (t) => {
  const openApi = (await documents()).find(({ path }) => path.endsWith('openapi.json'))
  const { paths } = JSON.parse(openApi?.text ?? '{}') as { paths: Record<string, unknown> }
  for (const { path } of surface) t.ok(paths[path], path)
})

function follow(document: unknown, pointer: string): unknown {
  return pointer.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], document)
}
