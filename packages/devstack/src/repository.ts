import { join } from 'node:path'

/** The repository's root folder. */
export const REPOSITORY = join(import.meta.dirname, '..', '..', '..')

/** Downloaded programs; ignored by git, safe to delete. */
export const CACHE = join(REPOSITORY, '.cache')
