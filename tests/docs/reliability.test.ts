import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { rows } from '../load/profiles.ts'
import { KINDS } from '../load/report/violations.ts'

const REPOSITORY = join(import.meta.dirname, '..', '..')
const page = readFileSync(join(REPOSITORY, 'docs', 'reliability.md'), 'utf8')

t.test('every test that the page names is there', async (t) => {
  const paths = [...page.matchAll(/`npm test -- ([^`]+)`/g)].map(([, path = '']) => path)
  t.ok(paths.length > 3)
  for (const path of paths) t.ok(existsSync(join(REPOSITORY, path)), path)
})

t.test('the page has every row of the fault table, and every kind of violation stands at a promise', async (t) => {
  const table = page.slice(page.indexOf('## The five faults'))
  for (const { number } of rows) t.ok(table.includes(`\n| ${number} | `), `row ${number}`)
  const promises = page.slice(page.indexOf('## Promises'), page.indexOf('## What a client must do'))
  for (const { name } of KINDS) t.match(promises, new RegExp(`\\*${name}\\*`), name)
})
