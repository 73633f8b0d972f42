import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { documents } from './documents.ts'
import { REPOSITORY } from './repository.ts'

// Writes what docs/ repeats of the code; a test fails when a committed file is not what this would write.
for (const { path, text } of await documents()) {
  await mkdir(dirname(join(REPOSITORY, path)), { recursive: true })
  await writeFile(join(REPOSITORY, path), text)
}
