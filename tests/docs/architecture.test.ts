import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { rowOfTag } from '../../services/gateway/src/surface.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')
const page = readFileSync(join(REPOSITORY, 'ARCHITECTURE.md'), 'utf8')

t.test('every folder of sources has its line', async (t) => {
  const sources = ['packages', 'services'].flatMap((area) => foldersOf(area).map((name) => join(area, name, 'src')))
  const folders = sources.flatMap((source) => foldersOf(source).map((name) => join(source, name)))
  for (const folder of [...folders, ...foldersOf('tests').map((name) => join('tests', name))]) {
    t.ok(page.includes(`\`${folder}\``), folder)
  }
})

t.test('the code of every tag is found in two steps: the surface, then the handlers', async (t) => {
  const handlers = ['group-service', 'message-service']
    .map((service) => readFileSync(join(REPOSITORY, 'services', service, 'src', 'handlers.ts'), 'utf8'))
    .join('\n')
  for (const [tag, { operation }] of rowOfTag)
    t.ok(handlers.includes(`'${operation.name}':`), `${tag}: ${operation.name}`)
})

function foldersOf(path: string): string[] {
  return readdirSync(join(REPOSITORY, path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
}
