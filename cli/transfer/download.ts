/** An object to a file: by ranges, a few at once, and under its name only when all of it is there. */
import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { S3 } from '../connection/s3.ts'
import { Failure } from '../problem.ts'
import { inParallel } from './in-parallel.ts'
import { type ObjectName, objectUrl } from './location.ts'
import type { Watch } from './upload.ts'

const RANGE_LENGTH = 8 * 1024 * 1024
const RANGES_AT_ONCE = 4

/**
 * The file gets the object's date.
 * @returns its size in bytes
 * @throws Refusal; Failure when the object cannot be read as a whole. The file that was there stays
 */
export async function downloadFile(
  name: ObjectName,
  path: string,
  s3: S3,
  watch: Watch,
): Promise<number> {
  await mkdir(dirname(path), { recursive: true })
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.part`
  const file = await open(unfinished, 'wx')
  try {
    const { size, modified } = await readObject(name, file, s3, watch)
    await file.utimes(modified, modified)
    await file.sync()
    await file.close()
    await rename(unfinished, path)
    return size
  } catch (error) {
    await file.close().catch(() => {})
    await rm(unfinished, { force: true })
    throw error
  }
}

async function readObject(
  name: ObjectName,
  file: FileHandle,
  { client, sdk }: S3,
  watch: Watch,
): Promise<{ readonly size: number; readonly modified: Date }> {
  const place = { Bucket: name.bucket, Key: name.key }
  const head = await client.send(new sdk.HeadObjectCommand(place))
  const { ContentLength: size = 0, ETag, LastModified = new Date() } = head
  const starts = Array.from(
    { length: Math.ceil(size / RANGE_LENGTH) },
    (_, at) => at * RANGE_LENGTH,
  )
  await inParallel(starts, RANGES_AT_ONCE, async (start) => {
    const end = Math.min(start + RANGE_LENGTH, size) - 1
    // All ranges are of the same write of the object, or none is taken.
    const range = { ...place, IfMatch: ETag, Range: `bytes=${start}-${end}` }
    const { Body } = await client.send(new sdk.GetObjectCommand(range))
    let at = start
    for await (const chunk of (Body ?? []) as AsyncIterable<Uint8Array>) {
      await file.write(chunk, 0, chunk.length, at)
      at += chunk.length
      watch(chunk.length)
    }
    if (at !== end + 1) throw new Failure(`${objectUrl(name)} came only in part.`)
  })
  return { size, modified: LastModified }
}
