import t from 'tap'
import { languageOf } from '../../src/calls/language.ts'

t.test('Chinese unless English is preferred', async (t) => {
  const cases: [string | undefined, 'zh' | 'en'][] = [
    [undefined, 'zh'],
    ['', 'zh'],
    ['en', 'en'],
    ['en-GB,en;q=0.9', 'en'],
    ['EN-us', 'en'],
    ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
    ['en;q=0.8,zh;q=0.9', 'zh'],
    ['en;q=0.9, zh;q=0.8', 'en'],
    ['en,zh', 'en'],
    ['zh,en', 'zh'],
    ['fr,en;q=0.5', 'en'],
    ['fr', 'zh'],
    ['en;q=0', 'zh'],
    ['en;q=high', 'zh'],
    [`${'x,'.repeat(10_000)}en`, 'zh'],
  ]
  for (const [header, language] of cases) t.equal(languageOf(header), language, String(header).slice(0, 40))
})
