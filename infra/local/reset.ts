/**
 * Back to the beginning: everything that a data directory holds goes but the root key. While that is
 * under way a file says so, with the credentials that will be the same afterwards; so a stack that
 * dies half-way is emptied by its next start, and nobody ever meets what is left of a reset.
 */
import { open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type AccessKeyId,
  type AccountId,
  type PrincipalId,
  parseAccessKeyId,
  parseAccountId,
  principalIdOf,
} from '../../shared/ids.ts'
import { StartProblem } from './start-problem.ts'

/** Of the first tenant's administrator. */
export interface KeptCredentials {
  readonly account: AccountId
  readonly principalId: PrincipalId
  readonly accessKeyId: AccessKeyId
  readonly secretAccessKey: string
}

const OWNER_ONLY = 0o600

const markerPath = (dataDir: string): string => join(dataDir, 'resetting')

/** Says, durably, that a reset is under way. */
export async function beginReset(dataDir: string, kept: KeptCredentials): Promise<void> {
  const path = markerPath(dataDir)
  const temporary = `${path}.new`
  await rm(temporary, { force: true })
  const { account, principalId, accessKeyId, secretAccessKey } = kept
  const file = await open(temporary, 'wx', OWNER_ONLY)
  try {
    await file.writeFile(JSON.stringify({ account, principalId, accessKeyId, secretAccessKey }))
    await file.datasync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

/** Says that it is over. */
export const endReset = (dataDir: string): Promise<void> => rm(markerPath(dataDir), { force: true })

/**
 * @returns the credentials of a reset that was cut short; `null` when none was
 * @throws StartProblem when the file about it cannot be read
 */
export async function interruptedReset(dataDir: string): Promise<KeptCredentials | null> {
  const path = markerPath(dataDir)
  try {
    const kept = JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>
    const account = parseAccountId(String(kept.account))
    const accessKeyId = parseAccessKeyId(String(kept.accessKeyId))
    const { secretAccessKey } = kept
    const principalId = principalIdOf(String(kept.principalId))
    if (account !== null && accessKeyId !== null && typeof secretAccessKey === 'string') {
      return { account, principalId, accessKeyId, secretAccessKey }
    }
  } catch (error) {
    if (isMissing(error)) return null
  }
  throw new StartProblem(
    `The file ${path}, which says that a reset was cut short, cannot be read: choose another data directory, or remove this one.`,
  )
}

/**
 * Removes stored blobs and archived records; what is in the database is the engine's to remove. The
 * directories of the blobs stay, since the store that has them open knows that it made them.
 */
export async function removeFiles(dataDir: string): Promise<void> {
  await Promise.all([
    removeFilesBelow(join(dataDir, 'blobs')),
    rm(join(dataDir, 'audit'), { recursive: true, force: true }),
  ])
}

async function removeFilesBelow(directory: string): Promise<void> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(none)
  const files = entries.filter((entry) => !entry.isDirectory())
  await Promise.all(
    files.map(({ parentPath, name }) => rm(join(parentPath, name), { force: true })),
  )
}

/** Also when the directory is none, which whoever makes it says. */
export const isMissing = (error: unknown): boolean =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')

function none(error: NodeJS.ErrnoException): [] {
  if (isMissing(error)) return []
  throw error
}
