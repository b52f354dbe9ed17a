/** Where the archive lies: a directory, or S3. A file that is there is never replaced. */
import { randomUUID } from 'node:crypto'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { ArchiveFile } from './archive-file.ts'

export interface ArchiveStore {
  /** Puts a file, durably; one of that name that is there already is left as it is. */
  put(file: ArchiveFile): Promise<void>
}

const PRIVATE_DIRECTORY = 0o700
const PRIVATE_FILE = 0o600

/**
 * @param address - `file:<directory>` or `s3://<bucket>/<prefix>`; the S3 client is loaded on demand
 * @throws Error when the address is neither
 */
export async function openArchive(address: string): Promise<ArchiveStore> {
  const [, directory] = /^file:(.+)$/.exec(address) ?? []
  if (directory !== undefined) return directoryArchive(resolve(directory))
  const [, bucket, prefix] = /^s3:\/\/([^/]+)\/?(.*)$/.exec(address) ?? []
  if (bucket !== undefined) return s3Archive(bucket, prefix ?? '')
  throw new Error("KEYHOLD_AUDIT_ARCHIVE must be 'file:<directory>' or 's3://<bucket>/<prefix>'.")
}

const directoryArchive = (directory: string): ArchiveStore => ({
  async put({ name, body }) {
    const path = join(directory, name)
    if (await exists(path)) return
    await mkdir(dirname(path), { recursive: true, mode: PRIVATE_DIRECTORY })
    const temporary = join(dirname(path), `.${randomUUID()}`)
    try {
      await writeDurably(temporary, body)
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
    await syncDirectory(dirname(path))
  },
})

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function writeDurably(path: string, body: Buffer): Promise<void> {
  await using file = await open(path, 'wx', PRIVATE_FILE)
  await file.writeFile(body)
  await file.sync()
}

/** The name is durable when its directory is. */
async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r')
  await directory.sync()
}

async function s3Archive(bucket: string, prefix: string): Promise<ArchiveStore> {
  const { S3 } = await import('@aws-sdk/client-s3')
  const s3 = new S3({})
  const before = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
  return {
    async put({ name, body }) {
      try {
        await s3.putObject({
          Bucket: bucket,
          Key: before + name,
          Body: body,
          ContentType: 'application/json',
          ContentEncoding: 'gzip',
          IfNoneMatch: '*',
        })
      } catch (error) {
        // S3 User Guide, "Conditional writes": what is there already has this name and content.
        if (!(error instanceof Error) || error.name !== 'PreconditionFailed') throw error
      }
    },
  }
}
