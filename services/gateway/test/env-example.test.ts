import { readFile } from 'node:fs/promises'
import t from 'tap'
import { z } from 'zod'

const SERVICES = ['gateway', 'group-service', 'message-service']

/** Each service's config.ts exports one schema. */
async function schemaOf(service: string): Promise<z.ZodObject> {
  const exported = await import(`../../${service}/src/config.ts`)
  return Object.values(exported).find((value) => value instanceof z.ZodObject) as z.ZodObject
}

const lines = (await readFile(new URL('../../../.env.example', import.meta.url), 'utf8')).split('\n')
const example = Object.fromEntries(
  lines.filter((line) => /^[A-Z]/.test(line)).map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]),
)
const schemas = new Map<string, z.ZodObject>()
for (const service of SERVICES) schemas.set(service, await schemaOf(service))

t.test('.env.example has every setting of the three services, and no other', async (t) => {
  const settings = new Set([...schemas.values()].flatMap((schema) => Object.keys(schema.shape)))
  t.same(Object.keys(example).sort(), [...settings].sort())
  t.equal(lines.filter((line) => /^[A-Z]/.test(line)).length, settings.size, 'each once')
})

for (const [service, schema] of schemas) {
  t.test(`what .env.example says is what ${service} takes when nothing is set`, async (t) => {
    const needed = service === 'gateway' ? { AUTH_SECRET: 'a secret of at least thirty-two bytes' } : {}
    const given = Object.fromEntries(Object.entries(example).filter(([, value]) => value !== ''))
    t.strictSame(schema.parse({ ...given, ...needed }), schema.parse(needed))
  })
}
