/**
 * A part that is encrypted here, in the segments that Keyhold keeps, and goes to where they are kept
 * without passing through Keyhold: for deployments whose functions take some megabytes at a time.
 */
import { createHash, createSecretKey } from 'node:crypto'
import { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import { SegmentEncryptor } from '../../shared/blobs/encrypt-stream.ts'
import { storedLength } from '../../shared/blobs/segments.ts'
import type { Connection } from '../connection/connection.ts'
import { signedObjectRequest } from '../connection/signed-object-request.ts'
import { Failure } from '../problem.ts'
import { type ObjectName, objectUrl } from './location.ts'

interface Prepared {
  readonly Url: string
  readonly Headers: Readonly<Record<string, string>>
  readonly Salt: string
  /** One for every layer, the inner one first. */
  readonly StreamKeys: readonly string[]
  readonly Ticket: string
}

export interface DirectPart {
  readonly name: ObjectName
  readonly uploadId: string
  readonly partNumber: number
  readonly bytes: Buffer
}

/**
 * @returns the ETag of the part; `null` where parts have to be sent to Keyhold
 * @throws Refusal; Failure when the part cannot be stored
 */
export async function uploadDirectly(
  connection: Connection,
  part: DirectPart,
): Promise<string | null> {
  const { name, uploadId, partNumber, bytes } = part
  const query = { 'keyhold-direct': '', uploadId, partNumber: String(partNumber) }
  const size = String(bytes.length)
  const prepared = await signedObjectRequest<Prepared>(connection, 'POST', name, { ...query, size })
  if (prepared === null) return null
  if (!(await store(prepared, bytes, name))) return null
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(bytes))
  const adoption = {
    Ticket: prepared.Ticket,
    Checksum: crc.toString('base64'),
    MD5: createHash('md5').update(bytes).digest('hex'),
  }
  const adopted = await signedObjectRequest<{ readonly ETag: string }>(
    connection,
    'PUT',
    name,
    query,
    adoption,
  )
  return adopted?.ETag ?? null
}

/** @returns `false` when the place cannot be reached from here */
async function store(prepared: Prepared, bytes: Buffer, name: ObjectName): Promise<boolean> {
  const body = new Uint8Array(await encrypted(prepared, bytes))
  const request = { method: 'PUT', headers: prepared.Headers, body }
  const answer = await fetch(prepared.Url, request).catch(() => null)
  if (answer === null) return false
  await answer.arrayBuffer()
  if (answer.ok) return true
  throw new Failure(
    `A part of ${objectUrl(name)} was not stored (status ${answer.status} of ${new URL(prepared.Url).host}).`,
  )
}

async function encrypted({ Salt, StreamKeys }: Prepared, bytes: Buffer): Promise<Buffer> {
  const salt = Buffer.from(Salt, 'base64')
  let layer = bytes
  for (const text of StreamKeys) {
    const secret = Buffer.from(text, 'base64')
    const encryptor = new SegmentEncryptor({ key: createSecretKey(secret), salt })
    secret.fill(0)
    const length = storedLength(layer.length)
    layer = Buffer.concat(await Readable.from([layer]).pipe(encryptor).toArray())
    if (layer.length !== length) throw new TypeError('The segments have another length.')
  }
  return layer
}
