/**
 * What a write says of its object, and how reads give it back (Amazon S3 User Guide, "Working with
 * object metadata").
 */
import { invalidArgument, S3Error } from '../blobs/s3-error.ts'
import type { ObjectRecord } from '../store/records.ts'
import type { S3Request } from './s3-request.ts'

export type ObjectMetadata = Pick<ObjectRecord, 'systemMetadata' | 'userMetadata'>

const SYSTEM = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]
const USER_PREFIX = 'x-amz-meta-'
const DEFAULT_TYPE = 'binary/octet-stream'
/** Names and values together, in bytes. */
const MAX_USER_BYTES = 2048
/** Set by a response header, so nothing that could end one. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
const CONTROL = /[\u0000-\u0008\u000a-\u001f\u007f]/

/** @throws S3Error MetadataTooLarge */
export function readMetadata(request: S3Request): ObjectMetadata {
  const userMetadata = userMetadataOf(request)
  let size = 0
  for (const name in userMetadata) {
    requireToken(name)
    size += Buffer.byteLength(name) + Buffer.byteLength(userMetadata[name] ?? '')
  }
  if (size > MAX_USER_BYTES) {
    throw new S3Error(
      'MetadataTooLarge',
      'Your metadata headers exceed the maximum allowed metadata size',
      { Size: size, MaxSizeAllowed: MAX_USER_BYTES },
    )
  }
  return { systemMetadata: systemMetadataOf(request), userMetadata }
}

/** @returns the headers by which reads tell an object's metadata */
export function metadataHeaders(
  { systemMetadata, userMetadata }: ObjectMetadata,
  request: S3Request,
): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {}
  for (const name of SYSTEM) {
    const value = overriding(name, request) ?? systemMetadata[name]
    if (value !== undefined) headers[name] = value
  }
  for (const name in userMetadata) {
    headers[USER_PREFIX + name] = encodeWord(userMetadata[name] ?? '')
  }
  return headers
}

/** A parameter `response-content-type` and its like, in place of what is stored. */
function overriding(name: string, { parameter }: S3Request): string | undefined {
  const value = parameter(`response-${name}`)
  if (value === undefined) return undefined
  if (CONTROL.test(value)) {
    throw invalidArgument('The value contains control characters', `response-${name}`, value)
  }
  return Buffer.from(value).toString('latin1')
}

function systemMetadataOf({ header }: S3Request): Readonly<Record<string, string>> {
  const metadata: Record<string, string> = {
    'content-type': header('content-type') || DEFAULT_TYPE,
  }
  for (const name of SYSTEM) {
    const value = name === 'content-encoding' ? contentEncoding(header(name)) : header(name)
    if (value !== undefined && value !== '') metadata[name] = value
  }
  return metadata
}

/** `aws-chunked` is how the body travelled, not what it is. */
const contentEncoding = (text: string | undefined): string | undefined =>
  text
    ?.split(',')
    .map((coding) => coding.trim())
    .filter((coding) => coding.toLowerCase() !== 'aws-chunked')
    .join(',')

const userMetadataOf = (request: S3Request): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...request.headerNames()]
      .filter((name) => name.startsWith(USER_PREFIX) && name.length > USER_PREFIX.length)
      .map((name) => [name.slice(USER_PREFIX.length), decodeBytes(request.header(name) ?? '')]),
  )

/**
 * A name in a presigned query need not have come as a header's; it will have to go as one.
 * @throws S3Error InvalidArgument unless it is a token (RFC 9110 section 5.6.2)
 */
function requireToken(name: string): void {
  if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name)) return
  throw new S3Error('InvalidArgument', 'The name of a metadata header is not valid.', {
    ArgumentName: USER_PREFIX,
  })
}

/** Headers come as bytes in ISO 8859-1 form; what they mean is UTF-8 where it can be. */
function decodeBytes(value: string): string {
  const text = Buffer.from(value, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? value : text
}

/** RFC 2047 section 2, as S3 gives back what is not printable US-ASCII. */
const encodeWord = (value: string): string =>
  /^[\x20-\x7e\t]*$/.test(value) ? value : `=?UTF-8?B?${Buffer.from(value).toString('base64')}?=`
