import { existsSync, globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'

const REPOSITORY = join(import.meta.dirname, '..', '..')
const pages = globSync(
  ['*.md', 'docs/**/*.md', 'deploy/**/*.md', 'packages/*/*.md', 'services/*/*.md', 'examples/*/*.md'],
  {
    cwd: REPOSITORY,
    exclude: (name) => name.includes('node_modules'),
  },
)

t.test('every link between pages leads to a file, and to a heading that is there', async (t) => {
  for (const page of pages) {
    const text = await readFile(join(REPOSITORY, page), 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\((?!https?:)([^)\s]+)\)/g)) {
      const [path = '', heading] = target.split('#')
      const file = path === '' ? join(REPOSITORY, page) : join(REPOSITORY, dirname(page), path)
      t.ok(existsSync(file), `${page} → ${target}`)
      if (heading !== undefined) t.ok(headingsOf(await readFile(file, 'utf8')).includes(heading), `${page} → ${target}`)
    }
  }
})

t.test('files named in prose exist', async (t) => {
  for (const page of [
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    'docs/protocol.md',
    'docs/operations.md',
    'docs/reliability.md',
    'docs/performance.md',
  ]) {
    const text = await readFile(join(REPOSITORY, page), 'utf8')
    const named = text.matchAll(/`((?:packages|services|tests|scripts|deploy|docs)\/[\w./-]+)`/g)
    for (const [, path = ''] of named) t.ok(existsSync(join(REPOSITORY, path)), `${page} names ${path}`)
  }
})

function headingsOf(page: string): string[] {
  const headings = page.matchAll(/^#+ (.+)$/gm)
  return Array.from(headings, ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} -]/gu, '')
      .replaceAll(' ', '-'),
  )
}
