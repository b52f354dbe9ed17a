/** Shared secrets that travel as ciphertext (AWS KMS API reference, "Encapsulate" and "Decapsulate"). */
import { decapsulateSecret, encapsulateSecret } from '../crypto/ml-kem.ts'
import { JsonError } from '../errors.ts'
import { openCurrent, openCurrentPublic } from './current-material.ts'
import { keySpec } from './key-specs.ts'
import type { FoundKey } from './keys.ts'
import type { MaterialCache } from './material.ts'

/** @returns a new secret of 32 bytes, for the caller to wipe, and its ciphertext */
export const encapsulateUnder = async (
  found: FoundKey,
  cache: MaterialCache,
): Promise<{ readonly sharedSecret: Buffer; readonly ciphertext: Buffer }> =>
  encapsulateSecret(await openCurrentPublic(found, cache))

/**
 * @returns 32 bytes, for the caller to wipe; pseudo-random ones for a ciphertext that was not made
 *   under this key
 * @throws JsonError InvalidCiphertextException for a ciphertext of another length than the key's
 */
export async function decapsulateUnder(
  found: FoundKey,
  ciphertext: Uint8Array,
  cache: MaterialCache,
): Promise<Buffer> {
  const { kem } = keySpec(found.key.keySpec)
  if (kem === undefined) throw new RangeError(`ML-KEM with a key of spec ${found.key.keySpec}.`)
  const privateKey = await openCurrent(found, cache)
  const secret = decapsulateSecret(privateKey, ciphertext, kem.ciphertextBytes)
  if (secret === null) throw new JsonError('InvalidCiphertextException')
  return secret
}
