/**
 * The encryption that a write asks for by its headers, and the headers that tell of it in answers
 * (Amazon S3 User Guide, "Specifying server-side encryption with AWS KMS", "… with Amazon S3 managed
 * keys"). What is not offered is refused by name, never taken for done.
 */
import type { ObjectEncryption } from '../store/records.ts'
import { invalidArgument, notImplemented, S3Error } from './s3-error.ts'

export const SSE = 'x-amz-server-side-encryption'
export const SSE_KEY_ID = `${SSE}-aws-kms-key-id`
export const SSE_CONTEXT = `${SSE}-context`
export const SSE_BUCKET_KEY = `${SSE}-bucket-key-enabled`
/** The pair of an encryption context that binds a data key to its object. */
export const OBJECT_ARN_PAIR = 'aws:s3:arn'

/** @returns a header's value; `undefined` when the request has none of that name */
export type HeaderReader = (name: string) => string | undefined

export type RequestedEncryption =
  | { readonly mode: 'SSE-S3' }
  | {
      readonly mode: 'SSE-KMS'
      /** As it was given; `null`: the account's `alias/aws/s3`. */
      readonly keyId: string | null
      /** With the object's ARN. */
      readonly encryptionContext: Readonly<Record<string, string>>
    }

const CUSTOMER_KEY = ['algorithm', 'key', 'key-md5'].map((part) => `${SSE}-customer-${part}`)
const KMS_ONLY_TEXT =
  'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms'
const CONTEXT_TEXT = `The header '${SSE_CONTEXT}' shall be Base64-encoded UTF-8 string holding JSON which represents a string-string map`

/**
 * @param objectArn - what the data key of the object is bound to
 * @throws S3Error InvalidArgument for headers that are wrong or do not go together, NotImplemented
 *   for SSE-C, DSSE-KMS and bucket keys
 */
export function requestedEncryption(header: HeaderReader, objectArn: string): RequestedEncryption {
  refuseCustomerKey(header)
  const mode = header(SSE)
  switch (mode) {
    case 'aws:kms':
      return kmsEncryption(header, objectArn)
    case 'aws:kms:dsse':
      throw notImplemented(`${SSE}: ${mode}`)
    case 'AES256':
    case undefined:
      refuseKmsHeaders(header)
      return { mode: 'SSE-S3' }
    default:
      throw invalidArgument('The encryption method specified is not supported', SSE, mode)
  }
}

/** @throws S3Error NotImplemented when the request brings a key of its own (SSE-C) */
export function refuseCustomerKey(header: HeaderReader): void {
  const given = CUSTOMER_KEY.find((name) => header(name) !== undefined)
  if (given !== undefined) throw notImplemented(given)
}

/**
 * For operations on an object whose encryption was fixed before: reads, parts, completion.
 * @throws S3Error InvalidArgument for any header that asks for an encryption, also the right one
 */
export function refuseEncryptionHeaders(header: HeaderReader): void {
  refuseCustomerKey(header)
  for (const name of [SSE, SSE_KEY_ID, SSE_CONTEXT, SSE_BUCKET_KEY]) {
    const value = header(name)
    if (value === undefined) continue
    throw invalidArgument(`${name} header is not supported for this operation.`, name, value)
  }
}

/** @returns the headers by which answers tell of an object's encryption */
export function encryptionHeaders(encryption: ObjectEncryption): Readonly<Record<string, string>> {
  switch (encryption.mode) {
    case 'SSE-S3':
      return { [SSE]: 'AES256' }
    case 'SSE-KMS':
      return { [SSE]: 'aws:kms', [SSE_KEY_ID]: encryption.keyArn }
    default:
      return encryption satisfies never
  }
}

function kmsEncryption(header: HeaderReader, objectArn: string): RequestedEncryption {
  const bucketKey = header(SSE_BUCKET_KEY)
  if (bucketKey?.toLowerCase() === 'true') throw notImplemented(SSE_BUCKET_KEY)
  const given = header(SSE_CONTEXT)
  const pairs = given === undefined ? {} : contextPairs(given)
  const bound = Object.hasOwn(pairs, OBJECT_ARN_PAIR) ? pairs[OBJECT_ARN_PAIR] : objectArn
  if (bound !== objectArn) {
    throw invalidArgument(
      `The pair ${OBJECT_ARN_PAIR} of the encryption context must name the object.`,
      SSE_CONTEXT,
      given ?? '',
    )
  }
  return {
    mode: 'SSE-KMS',
    keyId: header(SSE_KEY_ID) ?? null,
    encryptionContext: { ...pairs, [OBJECT_ARN_PAIR]: objectArn },
  }
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
