/** The root key of the local stack: a file in the data directory, made once. */
import { constants } from 'node:fs'
import { access, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Hsm } from '../../shared/hsm/hsm.ts'
import {
  createSoftwareHsm,
  openSoftwareHsm,
  RootKeyFileProblem,
} from '../../shared/hsm/software.ts'
import type { TenantRepository } from '../../shared/store/repositories.ts'
import { StartProblem } from './start-problem.ts'

const OWNER_ONLY = 0o700

/** @returns where the root key file of a data directory is */
export const rootKeyPath = (dataDir: string): string => join(dataDir, 'root-key')

/**
 * Opens the root key, and makes one where there is no data yet. It is there before the engine has
 * made its directory, so a directory without a root key means that the file was lost, and another
 * root key would open nothing.
 * @throws StartProblem when the directory cannot be used, or the file is lost or damaged
 */
export async function openRootKey(dataDir: string): Promise<Hsm> {
  await makeDirectory(dataDir)
  const path = rootKeyPath(dataDir)
  try {
    if (await exists(path)) return await openSoftwareHsm(path)
    if (await exists(join(dataDir, 'dynamodb'))) {
      throw new StartProblem(
        `The root key file ${path} is missing, and there is data that only it opens: restore it from a backup, or choose another data directory.`,
      )
    }
    return await createOrOpen(path)
  } catch (error) {
    if (error instanceof RootKeyFileProblem) throw new StartProblem(error.message)
    throw error
  }
}

/** @throws StartProblem when a tenant key was sealed by another root key */
export async function requireOwnRootKey(
  { rootKeyId }: Hsm,
  tenants: TenantRepository,
  dataDir: string,
): Promise<void> {
  for (const { account } of await tenants.list()) {
    const foreign = (await tenants.keys(account)).find((key) => key.rootKeyId !== rootKeyId)
    if (foreign !== undefined) {
      throw new StartProblem(
        `The data in ${dataDir} was sealed by another root key than ${rootKeyPath(dataDir)}: restore the file that belongs to it.`,
      )
    }
  }
}

/** Another process may be starting over the same new directory. */
async function createOrOpen(path: string): Promise<Hsm> {
  try {
    return await createSoftwareHsm(path)
  } catch (error) {
    if (await exists(path)) return await openSoftwareHsm(path)
    throw error
  }
}

async function makeDirectory(dataDir: string): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: OWNER_ONLY })
    await access(dataDir, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException
    throw new StartProblem(
      `The data directory ${dataDir} cannot be written (${code}): choose another with --data-dir.`,
    )
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
