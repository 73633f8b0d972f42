import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { REPOSITORY, readComposeFile, SERVICES } from './compose-file.ts'

const read = (path: string) => readFile(join(REPOSITORY, path), 'utf8')
const dockerfile = await read('deploy/docker/Dockerfile')
const instructions = dockerfile.split('\n').filter((line) => /^[A-Z]+ /.test(line))
const last = (name: string) => instructions.findLast((line) => line.startsWith(`${name} `))

t.test('an image runs one service, not as root, under an init process', async (t) => {
  t.equal(last('USER'), 'USER node')
  t.equal(last('ENTRYPOINT'), 'ENTRYPOINT ["/usr/bin/tini", "--"]')
  t.equal(last('CMD'), 'CMD ["node", "--max-semi-space-size=16", "--expose-gc", "src/main.ts"]')
  t.match(dockerfile, /^ARG NODE_IMAGE=node:24-\w+-slim$/m)
  t.match(dockerfile, /^HEALTHCHECK .*\\\n {2}CMD \["node", "\/app\/healthcheck\.mjs"\]$/m)
})

t.test('images are told no secret and no development setting', async (t) => {
  for (const line of instructions) t.notMatch(line, /SECRET|PASSWORD|DEV_LOGIN|TOKEN/)
})

t.test('Docker Compose builds each service by that Dockerfile', async (t) => {
  const { services } = await readComposeFile()
  for (const service of SERVICES) {
    t.match(services[service]?.build, { dockerfile: 'deploy/docker/Dockerfile', args: { SERVICE: service } })
  }
})

t.test('what a service imports is not left out of its image', async (t) => {
  const ignored = (await read('.dockerignore')).split('\n').filter((line) => line.startsWith('packages/'))
  for (const service of SERVICES) {
    for (const name of await workspacePackagesOf(join('services', service))) {
      t.notOk(ignored.includes(`packages/${name}`), `${service} uses ${name}`)
    }
  }
})

/** The folders below packages/ that a package depends on, directly or not. */
async function workspacePackagesOf(folder: string): Promise<Set<string>> {
  const { dependencies = {} } = JSON.parse(await read(join(folder, 'package.json'))) as {
    dependencies?: Record<string, string>
  }
  const found = new Set<string>()
  for (const [name, version] of Object.entries(dependencies)) {
    if (!version.startsWith('workspace:')) continue
    const own = name.replace('@qunxin/', '')
    found.add(own)
    for (const deeper of await workspacePackagesOf(join('packages', own))) found.add(deeper)
  }
  return found
}
