/**
 * What Encrypt and GenerateDataKey give to callers. It names the key and the version of its material,
 * so that Decrypt needs no KeyId and works after any number of rotations.
 *
 *   offset  length
 *        0       1   version, 01
 *        1       1   suite, 01: SP 800-108 HMAC-SHA-256, AES-256-GCM, key commitment
 *        2       6   account id, its 12 digits as a number, big-endian
 *        8       1   form of the key id: 00 UUID, 01 `mrk-` and 32 hex digits
 *        9      16   key id
 *       25      32   material id
 *       57      16   KDF nonce
 *       73      12   IV
 *       85      32   key commitment
 *      117       n   ciphertext
 *  117 + n      16   tag
 *
 * Keys: committed-aead.ts. The whole header, bytes 0 to 116, and the canonical encryption context
 * are the AAD. The layout is frozen: what was encrypted once opens for ever. The Region is not part
 * of it, since related multi-Region keys decrypt each other's ciphertext.
 */
import type { KeyObject } from 'node:crypto'
import {
  type AccountId,
  isMultiRegionKeyId,
  type KeyId,
  type MaterialId,
  parseAccountId,
  parseKeyId,
  parseMaterialId,
} from '../ids.ts'
import { COMMITTED_OVERHEAD, openCommitted, sealCommitted } from './committed-aead.ts'
import { encodeEncryptionContext } from './encryption-context.ts'

/** AWS KMS API reference, Decrypt: CiphertextBlob has at most 6144 bytes. */
export const MAX_CIPHERTEXT_BLOB_LENGTH = 6144

const VERSION = 1
const SUITE = 1
const LABEL = 'keyhold ciphertext blob v1'
const ACCOUNT_OFFSET = 2
const ACCOUNT_LENGTH = 6
const KEY_ID_FORM_OFFSET = 8
const KEY_ID_OFFSET = 9
const MATERIAL_ID_OFFSET = 25
const ADDRESS_LENGTH = 57
const OVERHEAD = ADDRESS_LENGTH + COMMITTED_OVERHEAD
const FORM_UUID = 0
const FORM_MULTI_REGION = 1

/** Which material of which key. */
export interface BlobAddress {
  readonly account: AccountId
  readonly keyId: KeyId
  readonly materialId: MaterialId
}

/** What a blob says of itself, not yet verified: only opening it does that. */
export interface ParsedCiphertextBlob extends BlobAddress {
  readonly bytes: Uint8Array
}

/**
 * @param address - of `material`
 * @param plaintext - up to 6011 bytes
 * @param context - the encryption context; the blob opens only under the same pairs
 * @returns 133 bytes more than the plaintext
 * @throws RangeError when the plaintext is longer
 */
export function sealCiphertextBlob(
  address: BlobAddress,
  material: KeyObject,
  plaintext: Uint8Array,
  context: Readonly<Record<string, string>>,
): Buffer {
  if (plaintext.length + OVERHEAD > MAX_CIPHERTEXT_BLOB_LENGTH) {
    throw new RangeError('The plaintext is too long for a ciphertext blob.')
  }
  const aad = encodeEncryptionContext(context)
  return sealCommitted(material, LABEL, encodeAddress(address), plaintext, aad)
}

/**
 * @param bytes - not copied, and not to be changed as long as the result is in use
 * @returns `null` when they are no ciphertext blob of ours: another version, suite or length
 */
export function parseCiphertextBlob(bytes: Uint8Array): ParsedCiphertextBlob | null {
  if (bytes.length < OVERHEAD || bytes.length > MAX_CIPHERTEXT_BLOB_LENGTH) return null
  if (bytes[0] !== VERSION || bytes[1] !== SUITE) return null
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, ADDRESS_LENGTH)
  const digits = String(view.readUIntBE(ACCOUNT_OFFSET, ACCOUNT_LENGTH)).padStart(12, '0')
  const account = parseAccountId(digits)
  const keyId = keyIdIn(view)
  const materialId = parseMaterialId(view.toString('hex', MATERIAL_ID_OFFSET))
  if (account === null || keyId === null || materialId === null) return null
  return { account, keyId, materialId, bytes }
}

/**
 * @param material - the one that the blob names
 * @returns the plaintext, which the caller wipes; `null` when blob, material and context do not
 *   belong together
 */
export const openCiphertextBlob = (
  blob: ParsedCiphertextBlob,
  material: KeyObject,
  context: Readonly<Record<string, string>>,
): Buffer | null =>
  openCommitted(material, LABEL, ADDRESS_LENGTH, blob.bytes, encodeEncryptionContext(context))

function encodeAddress({ account, keyId, materialId }: BlobAddress): Buffer {
  const multiRegion = isMultiRegionKeyId(keyId)
  const keyIdHex = multiRegion ? keyId.slice(4) : keyId.replaceAll('-', '')
  const address = Buffer.allocUnsafe(ADDRESS_LENGTH)
  address[0] = VERSION
  address[1] = SUITE
  address.writeUIntBE(Number(account), ACCOUNT_OFFSET, ACCOUNT_LENGTH)
  address[KEY_ID_FORM_OFFSET] = multiRegion ? FORM_MULTI_REGION : FORM_UUID
  address.write(keyIdHex, KEY_ID_OFFSET, 'hex')
  address.write(materialId, MATERIAL_ID_OFFSET, 'hex')
  return address
}

function keyIdIn(address: Buffer): KeyId | null {
  const hex = address.toString('hex', KEY_ID_OFFSET, MATERIAL_ID_OFFSET)
  switch (address[KEY_ID_FORM_OFFSET]) {
    case FORM_UUID:
      return parseKeyId(
        `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`,
      )
    case FORM_MULTI_REGION:
      return parseKeyId(`mrk-${hex}`)
    default:
      return null
  }
}
