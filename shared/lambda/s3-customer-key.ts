/**
 * The key that a request brings (Amazon S3 User Guide, "Using server-side encryption with
 * customer-provided keys (SSE-C)"): three headers, checked in the order of S3. The bytes live in a
 * `KeyObject` and nowhere else; no message and no record shows them.
 */
import { createHash, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { CUSTOMER_KEY_LENGTH } from '../blobs/customer-key.ts'
import { SSE, SSE_C_ALGORITHM, SSE_C_KEY, SSE_C_MD5 } from '../blobs/requested-encryption.ts'
import { invalidArgument, S3Error } from '../blobs/s3-error.ts'
import type { ObjectEncryption } from '../store/records.ts'
import { allowsInsecureCustomerKeys, isCephProfile } from './s3-profile.ts'
import type { S3Request } from './s3-request.ts'

/** Whose key is meant: that of the object itself, or of the object that is copied. */
export type KeySide = 'own' | 'copy-source'

type KeyedRequest = Pick<S3Request, 'header' | 'hoisted' | 'secure'>

const COPY_SOURCE = 'x-amz-copy-source-'

const named = (name: string, side: KeySide): string =>
  side === 'own' ? name : COPY_SOURCE + name.slice('x-amz-'.length)

/** Whether the request brings a key, or any part of what goes with one. */
export const bringsCustomerKey = ({ header }: KeyedRequest, side: KeySide = 'own'): boolean =>
  [SSE_C_ALGORITHM, SSE_C_KEY, SSE_C_MD5].some((name) => header(named(name, side)) !== undefined)

/** @throws S3Error InvalidArgument when a request asks for two ways of encryption at once */
export function refuseTwoWays(request: KeyedRequest): void {
  const mode = request.header(SSE)
  if (mode === undefined || !bringsCustomerKey(request)) return
  throw invalidArgument(
    'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
    SSE,
    mode,
  )
}

/**
 * @returns the key; `null` when the request brings none
 * @throws S3Error InvalidEncryptionAlgorithmError, InvalidArgument, InvalidRequest
 */
export function readCustomerKey(request: KeyedRequest, side: KeySide = 'own'): KeyObject | null {
  if (!bringsCustomerKey(request, side)) return null
  const { header } = request
  requireAlgorithm(header(named(SSE_C_ALGORITHM, side)), side)
  const text = header(named(SSE_C_KEY, side))
  if (text === undefined) throw faulty('must provide an appropriate secret key.', SSE_C_KEY, side)
  const md5 = header(named(SSE_C_MD5, side))
  if (md5 === undefined) {
    throw faulty('must provide the client calculated MD5 of the secret key.', SSE_C_MD5, side)
  }
  refuseInUrl(request, side)
  const bytes = Buffer.from(text, 'base64')
  try {
    requireDigest(bytes, md5, side)
    if (bytes.length !== CUSTOMER_KEY_LENGTH) {
      throw named400('The secret key was invalid for the specified algorithm.', SSE_C_KEY, side)
    }
    requireSecure(request)
    return createSecretKey(bytes)
  } finally {
    bytes.fill(0)
  }
}

/**
 * For reads: a key exactly where the object was written with one.
 * @throws S3Error InvalidRequest, and what `readCustomerKey` refuses with
 */
export function customerKeyOf(
  { mode }: Pick<ObjectEncryption, 'mode'>,
  request: KeyedRequest,
  side: KeySide = 'own',
): KeyObject | null {
  const brings = bringsCustomerKey(request, side)
  if (mode === 'SSE-C' && !brings) {
    throw new S3Error(
      'InvalidRequest',
      'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
    )
  }
  const key = readCustomerKey(request, side)
  if (mode === 'SSE-C' || !brings) return key
  throw new S3Error(
    'InvalidRequest',
    'The encryption parameters are not applicable to this object.',
  )
}

/** What a caller is told whose key is not the one that an object was written with. */
export const wrongCustomerKey = (cause: unknown): S3Error =>
  new S3Error(
    isCephProfile() ? 'InvalidRequest' : 'AccessDenied',
    'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
    {},
    { cause },
  )

function requireAlgorithm(algorithm: string | undefined, side: KeySide): void {
  if (algorithm === undefined) {
    throw faulty('must provide a valid encryption algorithm.', SSE_C_ALGORITHM, side)
  }
  if (algorithm === 'AES256') return
  throw new S3Error(
    'InvalidEncryptionAlgorithmError',
    'The Encryption request you specified is not valid. Supported value: AES256.',
    { ArgumentName: named(SSE_C_ALGORITHM, side), ArgumentValue: algorithm },
  )
}

function requireDigest(key: Buffer, given: string, side: KeySide): void {
  const expected = createHash('md5').update(key).digest()
  const bytes = Buffer.from(given, 'base64')
  if (bytes.length === expected.length && timingSafeEqual(bytes, expected)) return
  throw named400(
    'The calculated MD5 hash of the key did not match the hash that was provided.',
    SSE_C_MD5,
    side,
  )
}

/** URLs are written down in logs and histories, so S3 takes no key from one. */
function refuseInUrl({ hoisted }: KeyedRequest, side: KeySide): void {
  if (hoisted(named(SSE_C_KEY, side)) === undefined) return
  throw faulty('must provide an appropriate secret key.', SSE_C_KEY, side)
}

function requireSecure({ secure }: KeyedRequest): void {
  if (secure || isCephProfile() || allowsInsecureCustomerKeys()) return
  throw new S3Error(
    'InvalidRequest',
    'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.',
  )
}

const faulty = (rest: string, name: string, side: KeySide): S3Error =>
  named400(
    `Requests specifying Server Side Encryption with Customer provided keys ${rest}`,
    name,
    side,
  )

const named400 = (text: string, name: string, side: KeySide): S3Error =>
  new S3Error('InvalidArgument', text, { ArgumentName: named(name, side), ArgumentValue: 'null' })
