/**
 * Encrypting under the public half of an RSA key, and decrypting under the private one (AWS KMS
 * Developer Guide, "RSA key specs for encryption and decryption"). A ciphertext says nothing of its
 * key and may have been made by anybody who has the public key.
 */
import { decryptOaep, encryptOaep, maxOaepPlaintext, type OaepHash } from '../crypto/rsa-oaep.ts'
import { JsonError } from '../errors.ts'
import { openCurrent, openCurrentPublic } from './current-material.ts'
import { keySpec } from './key-specs.ts'
import type { FoundKey } from './keys.ts'
import type { MaterialCache } from './material.ts'

/**
 * @param algorithm - one that keys of the spec have (`requireAlgorithm`)
 * @returns one block as long as the key's modulus; callers are not told of the material
 * @throws JsonError ValidationException when the plaintext does not fit into a block
 */
export async function encryptAsymmetric(
  found: FoundKey,
  algorithm: string,
  plaintext: Uint8Array,
  cache: MaterialCache,
): Promise<{ readonly ciphertext: Buffer; readonly materialId: null }> {
  const { hash, modulusBytes } = schemeOf(found, algorithm)
  const room = maxOaepPlaintext(modulusBytes, hash)
  if (plaintext.length > room) {
    throw new JsonError(
      'ValidationException',
      `Algorithm ${algorithm} and key spec ${found.key.keySpec} cannot encrypt data larger than ${room} bytes.`,
    )
  }
  const publicKey = await openCurrentPublic(found, cache)
  return { ciphertext: encryptOaep(publicKey, hash, plaintext), materialId: null }
}

/**
 * @param algorithm - one that keys of the spec have (`requireAlgorithm`)
 * @returns the plaintext, for the caller to wipe
 * @throws JsonError InvalidCiphertextException for every way in which it does not open
 */
export async function decryptAsymmetric(
  found: FoundKey,
  algorithm: string,
  ciphertext: Uint8Array,
  cache: MaterialCache,
): Promise<{ readonly plaintext: Buffer; readonly materialId: null }> {
  const { hash, modulusBytes } = schemeOf(found, algorithm)
  const plaintext = decryptOaep(await openCurrent(found, cache), modulusBytes, hash, ciphertext)
  if (plaintext === null) throw new JsonError('InvalidCiphertextException')
  return { plaintext, materialId: null }
}

const hashes: Readonly<Record<string, OaepHash>> = {
  RSAES_OAEP_SHA_1: 'sha1',
  RSAES_OAEP_SHA_256: 'sha256',
}

function schemeOf(
  { key }: FoundKey,
  algorithm: string,
): { readonly hash: OaepHash; readonly modulusBytes: number } {
  const hash = hashes[algorithm]
  const { modulusBytes } = keySpec(key.keySpec)
  if (hash === undefined || modulusBytes === undefined) {
    throw new RangeError(`${algorithm} with a key of spec ${key.keySpec}.`)
  }
  return { hash, modulusBytes }
}
