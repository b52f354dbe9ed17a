/** The shared secret of a key and somebody else's public key (AWS KMS API reference, "DeriveSharedSecret"). */
import { deriveSecret, readPeerKey } from '../crypto/ecdh.ts'
import { JsonError } from '../errors.ts'
import { openCurrent } from './current-material.ts'
import { keySpec } from './key-specs.ts'
import type { FoundKey } from './keys.ts'
import type { MaterialCache } from './material.ts'

/**
 * @param found - an elliptic-curve key that agrees on secrets
 * @param peer - SubjectPublicKeyInfo in DER
 * @returns the X coordinate of the shared point, 32, 48 or 66 bytes, for the caller to wipe
 * @throws JsonError ValidationException, without a word, unless the peer's key is one on the key's curve
 */
export async function agreeOnSecret(
  found: FoundKey,
  peer: Uint8Array,
  cache: MaterialCache,
): Promise<Buffer> {
  const { curve } = keySpec(found.key.keySpec)
  const publicKey = curve === undefined ? null : readPeerKey(peer, curve)
  if (publicKey === null) throw new JsonError('ValidationException')
  return deriveSecret(await openCurrent(found, cache), publicKey)
}
