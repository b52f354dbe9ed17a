/**
 * The encryption that a write asks for by its headers, or has from its bucket, and the headers that
 * tell of it in answers (Amazon S3 User Guide, "Protecting data with server-side encryption",
 * "Setting default server-side encryption behavior for Amazon S3 buckets").
 */
import type { KeyObject } from 'node:crypto'
import type { BucketEncryption, ObjectEncryption } from '../store/records.ts'
import { invalidArgument, S3Error } from './s3-error.ts'

export const SSE = 'x-amz-server-side-encryption'
export const SSE_KEY_ID = `${SSE}-aws-kms-key-id`
export const SSE_CONTEXT = `${SSE}-context`
export const SSE_BUCKET_KEY = `${SSE}-bucket-key-enabled`
export const SSE_C_ALGORITHM = `${SSE}-customer-algorithm`
export const SSE_C_KEY = `${SSE}-customer-key`
export const SSE_C_MD5 = `${SSE}-customer-key-md5`
/** The pair of an encryption context that binds a data key to its object, or to its bucket. */
export const ARN_PAIR = 'aws:s3:arn'

/** @returns a header's value; `undefined` when the request has none of that name */
export type HeaderReader = (name: string) => string | undefined

interface UnderKmsKey {
  /** As it was given; `null`: the account's `alias/aws/s3`. */
  readonly keyId: string | null
  /** With the ARN of what the data key is for. */
  readonly encryptionContext: Readonly<Record<string, string>>
}

export type RequestedEncryption =
  | { readonly mode: 'SSE-S3' }
  | (UnderKmsKey & {
      readonly mode: 'SSE-KMS'
      /** Whether the data key may be shared with other writes to the bucket. */
      readonly bucketKey: boolean
    })
  | (UnderKmsKey & { readonly mode: 'DSSE-KMS' })
  | { readonly mode: 'SSE-C'; readonly customerKey: KeyObject }

/** What decides the encryption of a write. */
export interface WriteAsked {
  readonly header: HeaderReader
  readonly bucketArn: string
  readonly objectArn: string
  /** What the bucket has for writes that ask for nothing. */
  readonly byDefault: BucketEncryption | undefined
  /** What the request brought (SSE-C). */
  readonly customerKey: KeyObject | null
}

const KMS_ONLY_TEXT =
  'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms'
const CONTEXT_TEXT = `The header '${SSE_CONTEXT}' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map`

/**
 * Headers decide, then the bucket, then SSE-S3.
 * @throws S3Error InvalidArgument for headers that are wrong or do not go together
 */
export function requestedEncryption(asked: WriteAsked): RequestedEncryption {
  const { header, customerKey, byDefault } = asked
  const mode = header(SSE)
  switch (mode) {
    case 'aws:kms':
    case 'aws:kms:dsse':
      return underKmsKey(mode, header(SSE_KEY_ID) ?? null, asked)
    case 'AES256':
      refuseKmsHeaders(header)
      return { mode: 'SSE-S3' }
    case undefined:
      refuseKmsHeaders(header)
      if (customerKey !== null) return { mode: 'SSE-C', customerKey }
      return defaultEncryption(byDefault, asked)
    default:
      throw unsupportedMethod(mode)
  }
}

/** @param value - of the header `x-amz-server-side-encryption`, as it was sent */
export const unsupportedMethod = (value: string): S3Error =>
  invalidArgument('The encryption method specified is not supported', SSE, value)

/**
 * For operations on an object whose encryption was fixed before: reads, parts, completion.
 * @throws S3Error InvalidArgument for any header that asks for an encryption, also the right one
 */
export function refuseEncryptionHeaders(header: HeaderReader): void {
  for (const name of [SSE, SSE_KEY_ID, SSE_CONTEXT, SSE_BUCKET_KEY]) {
    const value = header(name)
    if (value === undefined) continue
    throw invalidArgument(`${name} header is not supported for this operation.`, name, value)
  }
}

/**
 * @param header - of the request: an answer about a caller's key names the key as the caller did
 * @returns the headers by which answers tell of an object's encryption
 */
export function encryptionHeaders(
  encryption: ObjectEncryption,
  header: HeaderReader,
): Readonly<Record<string, string>> {
  switch (encryption.mode) {
    case 'SSE-S3':
      return { [SSE]: 'AES256' }
    case 'SSE-KMS':
      return {
        [SSE]: 'aws:kms',
        [SSE_KEY_ID]: encryption.keyArn,
        ...(encryption.bucketKey ? { [SSE_BUCKET_KEY]: 'true' } : {}),
      }
    case 'DSSE-KMS':
      return { [SSE]: 'aws:kms:dsse', [SSE_KEY_ID]: encryption.keyArn }
    case 'SSE-C': {
      const md5 = header(SSE_C_MD5)
      return md5 === undefined ? {} : { [SSE_C_ALGORITHM]: 'AES256', [SSE_C_MD5]: md5 }
    }
    default:
      return encryption satisfies never
  }
}

/** @returns the header that tells what context a write was made with, if the caller gave one */
export function contextHeader(header: HeaderReader): Readonly<Record<string, string>> {
  const context = header(SSE_CONTEXT)
  return context === undefined ? {} : { [SSE_CONTEXT]: context }
}

function defaultEncryption(
  byDefault: BucketEncryption | undefined,
  asked: WriteAsked,
): RequestedEncryption {
  const algorithm = byDefault?.algorithm ?? 'AES256'
  if (algorithm === 'AES256') return { mode: 'SSE-S3' }
  return underKmsKey(algorithm, byDefault?.keyId ?? null, asked)
}

function underKmsKey(
  algorithm: 'aws:kms' | 'aws:kms:dsse',
  keyId: string | null,
  asked: WriteAsked,
): RequestedEncryption {
  const bucketKey = algorithm === 'aws:kms' && isBucketKeyWanted(asked)
  const arn = bucketKey ? asked.bucketArn : asked.objectArn
  const pairs = { ...readContext(asked.header, arn), [ARN_PAIR]: arn }
  const under = { keyId, encryptionContext: pairs }
  return algorithm === 'aws:kms:dsse'
    ? { mode: 'DSSE-KMS', ...under }
    : { mode: 'SSE-KMS', ...under, bucketKey }
}

/** The request's word counts before the bucket's, even where the request names the mode itself. */
function isBucketKeyWanted({ header, byDefault }: WriteAsked): boolean {
  const given = header(SSE_BUCKET_KEY)?.toLowerCase()
  return given === undefined ? byDefault?.bucketKey === true : given === 'true'
}

/** @throws S3Error InvalidArgument */
function readContext(header: HeaderReader, arn: string): Readonly<Record<string, string>> {
  const given = header(SSE_CONTEXT)
  if (given === undefined) return {}
  const pairs = contextPairs(given)
  if (!Object.hasOwn(pairs, ARN_PAIR) || pairs[ARN_PAIR] === arn) return pairs
  throw invalidArgument(
    `The pair ${ARN_PAIR} of the encryption context must name ${arn.includes('/') ? 'the object' : 'the bucket'}.`,
    SSE_CONTEXT,
    given,
  )
}

function refuseKmsHeaders(header: HeaderReader): void {
  for (const name of [SSE_KEY_ID, SSE_CONTEXT]) {
    const value = header(name)
    if (value !== undefined) throw invalidArgument(KMS_ONLY_TEXT, SSE, header(SSE) ?? 'null')
  }
}

/** @throws S3Error InvalidArgument unless it is base64 of a flat JSON object of strings */
function contextPairs(text: string): Readonly<Record<string, string>> {
  const parsed = parseBase64Json(text)
  const isObject = typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
  const entries = isObject ? Object.entries(parsed) : null
  if (entries === null || entries.some(([, value]) => typeof value !== 'string')) {
    throw new S3Error('InvalidArgument', CONTEXT_TEXT, {
      ArgumentName: SSE_CONTEXT,
      ArgumentValue: text,
    })
  }
  return Object.fromEntries(entries)
}

function parseBase64Json(text: string): unknown {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64').replace(/=+$/, '') !== text.replace(/=+$/, '')) return null
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch {
    return null
  }
}
