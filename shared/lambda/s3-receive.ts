/** Takes the body of an upload into the backing store: encrypted, digested and verified in one pass. */
import type { Readable } from 'node:stream'
import type { BackingStore } from '../blobs/backing-store.ts'
import { PlaintextDigests } from '../blobs/digests.ts'
import { S3Error } from '../blobs/s3-error.ts'
import { writePart } from '../blobs/write-part.ts'
import { freshBytes } from '../crypto/random.ts'
import type { PartRecord } from '../store/records.ts'
import { BodyDigests } from './s3-body-digests.ts'
import { type ChecksumName, DEFAULT_CHECKSUM, givenChecksum } from './s3-checksums.ts'
import { incompleteBody } from './s3-explain.ts'
import type { S3Request } from './s3-request.ts'

/** Bytes of one upload, of a part too: 5 GiB (Amazon S3 User Guide, "Amazon S3 multipart upload limits"). */
export const MAX_UPLOAD_SIZE = 5 * 1024 ** 3
const OPAQUE_ETAG_LENGTH = 16

/** What the head of an upload announces of its body; nothing of the body has been asked for. */
export interface AnnouncedBody {
  readonly digests: BodyDigests
  /** The checksums that are kept; that of the client first. */
  readonly checksums: readonly ChecksumName[]
  readonly hasMd5Etag: boolean
  readonly sizes: SizeLimits
}

/** In bytes, as far as there are any besides those of S3. */
export interface SizeLimits {
  readonly min?: number
  readonly max?: number
}

export interface KeptDigests {
  /** Whether the ETag is the MD5 of the body; otherwise it tells nothing of it. */
  readonly hasMd5Etag: boolean
  /** A checksum that is kept whatever the client gives. */
  readonly always?: ChecksumName
  /** Of a form, which alone tells where its file ends. */
  readonly sizes?: SizeLimits
}

/** @throws S3Error EntityTooLarge, MissingContentLength, InvalidDigest, InvalidRequest */
export function readAnnouncement(request: S3Request, kept: KeptDigests): AnnouncedBody {
  const { hasMd5Etag, always, sizes } = kept
  if (sizes === undefined) request.requireLength()
  requireNotLarger(request.announcedLength() ?? 0)
  const given = givenChecksum(request)
  const own = always ?? (given === null ? DEFAULT_CHECKSUM : given.name)
  const checksums = [...new Set([given?.name ?? own, own])]
  const digests = new BodyDigests(request, given, hasMd5Etag ? [...checksums, 'MD5'] : checksums)
  return { digests, checksums, hasMd5Etag, sizes: sizes ?? {} }
}

/** Where the bytes go: the object's keys (32 bytes each) and the version id that its streams are bound to. */
export interface PartTarget {
  readonly store: BackingStore
  readonly objectKey: Uint8Array
  readonly outerKey: Uint8Array | null
  readonly streamId: string
}

export type ReceivedPart = Omit<PartRecord, 'partNumber' | 'createdAt'>

/**
 * @returns the part, once its blob is durable; nothing refers to it yet
 * @throws S3Error when the body is not what was announced; nothing is left of it then
 */
export async function receivePart(
  request: S3Request,
  { digests, checksums, hasMd5Etag, sizes: { min = 0, max } }: AnnouncedBody,
  target: PartTarget,
): Promise<ReceivedPart> {
  const { data, trailers } = request.body()
  let size = 0
  const observe = (chunk: Uint8Array): void => {
    size += chunk.length
    requireNotLarger(size, max)
    digests.update(chunk)
  }
  const verify = (): void => {
    requireNotSmaller(size, min)
    digests.verify(trailers())
  }
  const { signal } = request
  try {
    const stored = await writePart({ ...target, observe, verify, signal }, data)
    return {
      ...stored,
      etag: (hasMd5Etag ? digests.md5() : null) ?? opaqueEtag(),
      checksums: Object.fromEntries(checksums.map((name) => [name, digests.checksum(name)])),
    }
  } catch (error) {
    // What refuses a body stops it too, so that it looks broken.
    if (error instanceof S3Error) throw error
    throw request.isBodyBroken() ? incompleteBody(error) : error
  }
}

/**
 * As `receivePart`, for bytes that are here already.
 * @param kept - the checksum that is kept of them, and whether the ETag is their MD5
 * @param signal - aborted when nobody waits for the result any more
 */
export async function storeCopy(
  plaintext: Readable,
  { checksum, hasMd5Etag }: { readonly checksum: ChecksumName; readonly hasMd5Etag: boolean },
  target: PartTarget,
  signal: AbortSignal,
): Promise<ReceivedPart> {
  const digests = new PlaintextDigests(hasMd5Etag ? [checksum, 'MD5'] : [checksum])
  const stored = await writePart({ ...target, observe: digests.update, signal }, plaintext)
  return {
    ...stored,
    etag: digests.hex('MD5') ?? opaqueEtag(),
    checksums: { [checksum]: digests.base64(checksum) ?? '' },
  }
}

const opaqueEtag = (): string => freshBytes(OPAQUE_ETAG_LENGTH).toString('hex')

function requireNotLarger(size: number, limit = MAX_UPLOAD_SIZE): void {
  const max = Math.min(limit, MAX_UPLOAD_SIZE)
  if (size <= max) return
  throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    ProposedSize: size,
    MaxSizeAllowed: max,
  })
}

function requireNotSmaller(size: number, min: number): void {
  if (size >= min) return
  throw new S3Error(
    'EntityTooSmall',
    'Your proposed upload is smaller than the minimum allowed size',
    { ProposedSize: size, MinSizeAllowed: min },
  )
}
