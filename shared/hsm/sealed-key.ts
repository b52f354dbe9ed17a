/** What every provider asks of the keys that it seals. */
import { KEY_LENGTH } from '../crypto/aes-gcm.ts'

/** @throws RangeError when there are not 32 bytes: an HSM seals tenant keys and nothing else */
export function requireKeyLength(keyBytes: Uint8Array): void {
  if (keyBytes.length !== KEY_LENGTH) {
    throw new RangeError(`A key to be sealed has ${KEY_LENGTH} bytes.`)
  }
}
