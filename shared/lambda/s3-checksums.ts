/** The checksums of S3 on the wire (Amazon S3 User Guide, "Checking object integrity"). */
import { type DigestName, digestOf } from '../blobs/digests.ts'
import { notImplemented, S3Error } from '../blobs/s3-error.ts'
import type { ObjectRecord } from '../store/records.ts'
import type { S3Request } from './s3-request.ts'

export type ChecksumName = Exclude<DigestName, 'MD5'>
export type ChecksumType = NonNullable<ObjectRecord['checksumType']>

/** In the order in which answers show them; with the length of the digest in bytes. */
const lengths: Readonly<Record<ChecksumName, number>> = {
  CRC32: 4,
  CRC32C: 4,
  CRC64NVME: 8,
  SHA1: 20,
  SHA256: 32,
}
export const checksumNames = Object.keys(lengths) as readonly ChecksumName[]

/** What S3 has besides, and what is not offered. */
const OTHERS = new Set(['sha512', 'md5', 'xxhash64', 'xxhash3', 'xxhash128'])
const PREFIX = 'x-amz-checksum-'

/** What objects that come without a checksum get. */
export const DEFAULT_CHECKSUM: ChecksumName = 'CRC64NVME'

export const checksumHeader = (name: ChecksumName): string => PREFIX + name.toLowerCase()

/** As in the XML of S3: `ChecksumCRC32`. */
export const checksumElement = (name: ChecksumName): string => `Checksum${name}`

/** A checksum that the client gives: in a header, or after the body. */
export interface GivenChecksum {
  readonly name: ChecksumName
  /** Base64; `null`: it comes in the trailer. */
  readonly value: string | null
}

/**
 * @returns the checksum that comes with the body; `null` when none does
 * @throws S3Error InvalidRequest for more than one, a malformed one, or one that is only announced
 */
export function givenChecksum(request: S3Request): GivenChecksum | null {
  const names = headersOf(request)
  const trailer = request.header('x-amz-trailer')
  if (trailer !== undefined) names.push(...trailer.split(',').map((name) => name.trim()))
  const [only, ...more] = names.map((name) => parseHeaderName(name.toLowerCase()))
  if (more.length > 0) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    )
  }
  if (only !== undefined && isOfNothing(only, request)) return null
  requireAnnounced(request, only ?? null)
  if (only === undefined) return null
  const value = request.header(checksumHeader(only)) ?? null
  if (value !== null) requireWellFormed(only, value)
  return { name: only, value }
}

/** @throws S3Error InvalidRequest when the value is not base64 of a digest of that length */
export function requireWellFormed(name: ChecksumName, value: string): void {
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length === lengths[name] && bytes.toString('base64') === value) return
  throw new S3Error('InvalidRequest', `Value for ${checksumHeader(name)} header is invalid.`)
}

/**
 * @param text - as in `x-amz-checksum-algorithm`
 * @throws S3Error InvalidRequest when there is no such algorithm, NotImplemented when it is not offered
 */
export function parseChecksumName(text: string, header: string): ChecksumName {
  const name = text.toUpperCase() as ChecksumName
  if (checksumNames.includes(name)) return name
  if (OTHERS.has(text.toLowerCase())) throw notImplemented(`${header}: ${text}`)
  throw new S3Error(
    'InvalidRequest',
    'Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, CRC64NVME, SHA1, SHA256]',
  )
}

/** @param type - `null` leaves it out, as for a part */
export function checksumHeaders(
  checksums: Readonly<Record<string, string>>,
  type: ChecksumType | null,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const name of checksumNames) {
    const value = checksums[name]
    if (value !== undefined) headers[checksumHeader(name)] = value
  }
  if (type !== null && Object.keys(headers).length > 0) headers['x-amz-checksum-type'] = type
  return headers
}

/** The elements of an answer, in the order of `checksumNames`. */
export const checksumElements = (
  checksums: Readonly<Record<string, string>>,
): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(checksumNames.map((name) => [checksumElement(name), checksums[name]]))

/** Whether a read asks to see checksums. */
export const wantsChecksums = (request: S3Request): boolean =>
  request.header('x-amz-checksum-mode')?.toUpperCase() === 'ENABLED'

const NOT_VALUES = new Set(['mode', 'algorithm', 'type'].map((name) => PREFIX + name))

const headersOf = (request: S3Request): string[] =>
  [...request.headerNames()].filter((name) => name.startsWith(PREFIX) && !NOT_VALUES.has(name))

function parseHeaderName(header: string): ChecksumName {
  if (header.startsWith(PREFIX)) return parseChecksumName(header.slice(PREFIX.length), header)
  throw new S3Error(
    'InvalidRequest',
    'The value specified in the x-amz-trailer header is not supported',
  )
}

/**
 * The AWS SDK for JavaScript presigns an upload with the checksum of the body that it does not have
 * yet, an empty one (aws-sdk-js-v3 since 3.729.0). Such a URL is meant for any body.
 */
const isOfNothing = (name: ChecksumName, request: S3Request): boolean =>
  request.hoisted(checksumHeader(name)) === digestOf(name, NOTHING).toString('base64')

const NOTHING = Buffer.alloc(0)

/** SDKs say which checksum they are about to send; one that gets lost on the way must not pass. */
function requireAnnounced(request: S3Request, given: ChecksumName | null): void {
  const announced = request.header('x-amz-sdk-checksum-algorithm')
  if (announced === undefined) return
  const name = parseChecksumName(announced, 'x-amz-sdk-checksum-algorithm')
  if (given === null) {
    throw new S3Error(
      'InvalidRequest',
      'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
    )
  }
  if (given === name) return
  throw new S3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.')
}
