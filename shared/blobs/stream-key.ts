/**
 * The key of one written stream, derived from the object key by HKDF-SHA-512 (RFC 5869).
 *
 * ```
 * salt    32 random bytes, fresh for every attempt to write a stream
 * info    "keyhold stream key v1" │ "keyhold-segments-1" │ stream id, UTF-8
 * output  content key, 32 bytes │ commitment, 32 bytes
 * ```
 * The first two fields of `info` never change in length, so no two inputs give the same `info`. A
 * part that is sent again gets another salt and so another key: no nonce is ever used twice under
 * one key, even when two attempts run at once. GCM alone does not commit to its key (one ciphertext
 * can be built to open under two); the commitment is stored and compared before anything is opened.
 *
 * Secrets: the content key leaves here as a `KeyObject`, and the raw output is overwritten as soon as
 * that exists. Whoever holds the object key as bytes overwrites them after the last derivation.
 */
import { createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { FORMAT_ID, SALT_LENGTH } from './segments.ts'

const LABEL = 'keyhold stream key v1'
const KEY_LENGTH = 32
const COMMITMENT_LENGTH = 32

export interface StreamKey {
  /** AES-256. */
  readonly key: KeyObject
  /** 32 bytes, not secret. */
  readonly commitment: Buffer
}

/** @returns 32 random bytes, for one attempt to write one stream */
export const newSalt = (): Buffer => randomBytes(SALT_LENGTH)

/**
 * @param objectKey - 32 bytes
 * @param salt - 32 bytes
 * @param streamId - what the stream belongs to: the version id of its object
 * @throws RangeError when the salt has another length
 */
export function deriveStreamKey(
  objectKey: KeyObject | Uint8Array,
  salt: Uint8Array,
  streamId: string,
): StreamKey {
  if (salt.length !== SALT_LENGTH) throw new RangeError(`A salt has ${SALT_LENGTH} bytes.`)
  const info = Buffer.from(LABEL + FORMAT_ID + streamId)
  const output = Buffer.from(
    hkdfSync('sha512', objectKey, salt, info, KEY_LENGTH + COMMITMENT_LENGTH),
  )
  const key = createSecretKey(output.subarray(0, KEY_LENGTH))
  const commitment = Buffer.from(output.subarray(KEY_LENGTH))
  output.fill(0)
  return { key, commitment }
}
