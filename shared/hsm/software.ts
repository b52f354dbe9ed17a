/**
 * The root key in a file, for development and for a single machine: no hardware protects it, only
 * the file's permissions do.
 */
import type { KeyObject } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, link, open as openFile, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { KEY_LENGTH } from '../crypto/aes-gcm.ts'
import { freshBytes } from '../crypto/random.ts'
import { open, seal } from '../crypto/sealed-box.ts'
import { type Hsm, HsmUnavailable, SealBroken } from './hsm.ts'
import {
  encodeRootKeyFile,
  MAX_ROOT_KEY_FILE_LENGTH,
  parseRootKeyFile,
  type SoftwareRootKey,
} from './root-key-file.ts'
import { requireKeyLength } from './sealed-key.ts'

const LABEL = 'keyhold sealed by software root key v1'
const OWNER_ONLY = 0o600
const GROUP_AND_OTHERS = 0o077

/** The root key's file cannot be used. The message is one line that says which and what to do. */
export class RootKeyFileProblem extends Error {
  override readonly name = 'RootKeyFileProblem'
}

/**
 * @param path - of a file that `createSoftwareHsm` made
 * @throws RootKeyFileProblem when it is missing, damaged, or open to users other than its owner
 */
export async function openSoftwareHsm(path: string): Promise<Hsm> {
  const content = await readOwnersFile(path)
  const rootKey = parseRootKeyFile(content)
  content.fill(0)
  if (rootKey === null) {
    throw new RootKeyFileProblem(`The root key file ${path} is damaged: restore it from a backup.`)
  }
  return new SoftwareHsm(rootKey)
}

/**
 * Makes a root key. When the promise resolves the file is durable; after a crash it is there whole
 * or not at all.
 * @param path - where there is no file yet, in a directory that exists
 * @throws RootKeyFileProblem when there is a file, or it cannot be written
 */
export async function createSoftwareHsm(path: string): Promise<Hsm> {
  const bytes = freshBytes(KEY_LENGTH)
  const content = encodeRootKeyFile(bytes)
  bytes.fill(0)
  try {
    await writeNewFile(path, content)
  } catch (error) {
    throw new RootKeyFileProblem(adviceOnCreating(path, error), { cause: error })
  } finally {
    content.fill(0)
  }
  return await openSoftwareHsm(path) // from the file, so that a key that cannot be read back is never used
}

class SoftwareHsm implements Hsm {
  readonly rootKeyId: string
  #key: KeyObject | null

  constructor({ rootKeyId, key }: SoftwareRootKey) {
    this.rootKeyId = rootKeyId
    this.#key = key
  }

  async seal(keyBytes: Uint8Array, aad: Uint8Array): Promise<Uint8Array> {
    requireKeyLength(keyBytes)
    return seal(this.#requireKey(), LABEL, keyBytes, aad)
  }

  async open(rootKeyId: string, sealed: Uint8Array, aad: Uint8Array): Promise<Buffer> {
    const key = this.#requireKey()
    if (rootKeyId !== this.rootKeyId) throw new SealBroken('Sealed by another root key.')
    const keyBytes = open(key, LABEL, sealed, aad)
    if (keyBytes === null) throw new SealBroken('The sealed key does not open.')
    return keyBytes
  }

  async close(): Promise<void> {
    this.#key = null
  }

  #requireKey(): KeyObject {
    if (this.#key === null) throw new HsmUnavailable('The software HSM is closed.')
    return this.#key
  }
}

async function readOwnersFile(path: string): Promise<Buffer> {
  try {
    // Not to wait for a writer, should the path name a pipe.
    await using file = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK)
    return await readIfOwnersOnly(path, file)
  } catch (error) {
    if (error instanceof RootKeyFileProblem) throw error
    throw new RootKeyFileProblem(adviceOnOpening(path, error), { cause: error })
  }
}

/** Asks and reads one open file, so that what was asked about is what is read. */
async function readIfOwnersOnly(path: string, file: FileHandle): Promise<Buffer> {
  const stat = await file.stat()
  if (!stat.isFile() || stat.size > MAX_ROOT_KEY_FILE_LENGTH) {
    throw new RootKeyFileProblem(`${path} is not a root key file: check the path.`)
  }
  // Windows has no such bits and reports all of them as set.
  if (process.platform !== 'win32' && (stat.mode & GROUP_AND_OTHERS) !== 0) {
    throw new RootKeyFileProblem(
      `The root key file ${path} is open to other users: run chmod 600 ${path} and check who may have read it.`,
    )
  }
  return await file.readFile()
}

/** Writes beside the path and then links, which unlike renaming never replaces a file. */
async function writeNewFile(path: string, content: Buffer): Promise<void> {
  const draft = `${path}.${freshBytes(8).toString('hex')}.new`
  try {
    await writeDurably(draft, content)
    await link(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
  await using directory = await openFile(dirname(path), constants.O_RDONLY)
  await directory.sync()
}

async function writeDurably(path: string, content: Buffer): Promise<void> {
  await using file = await openFile(path, 'wx', OWNER_ONLY)
  await file.writeFile(content)
  await file.sync()
}

function adviceOnOpening(path: string, error: unknown): string {
  switch (codeOf(error)) {
    case 'ENOENT':
      return `There is no root key file ${path}: restore it from a backup, or create one if this deployment is new.`
    case 'EACCES':
    case 'EPERM':
      return `The root key file ${path} cannot be read by this user: run as its owner.`
    default:
      return `The root key file ${path} cannot be read (${codeOf(error)}): check the path and the disk.`
  }
}

function adviceOnCreating(path: string, error: unknown): string {
  switch (codeOf(error)) {
    case 'EEXIST':
      return `There is a root key file ${path} already: use it, or choose another path.`
    case 'ENOENT':
      return `The directory of the root key file ${path} does not exist: create it first.`
    default:
      return `The root key file ${path} cannot be written (${codeOf(error)}): check the directory's permissions, and that its file system has hard links.`
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
