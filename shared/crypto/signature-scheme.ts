/** What every way of signing looks like, and the ways that node:crypto has by itself. */
import { type KeyObject, type SignKeyObjectInput, sign, verify } from 'node:crypto'
import { promisify } from 'node:util'

/**
 * One algorithm for one kind of message. Both are asked with a message of a length that the algorithm
 * takes, and with a key that fits it; a signature may be any bytes.
 */
export interface SignatureScheme {
  sign(privateKey: KeyObject, message: Uint8Array): Promise<Buffer>
  /** @returns `false` for whatever is not this key's signature of the message, malformed or not */
  verify(publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): Promise<boolean>
}

const signElsewhere = promisify(sign)
const verifyElsewhere = promisify(verify)

// What is quick costs no more than the way to another thread and back.
const signsQuickly = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyDetails?.namedCurve === 'prime256v1'
const verifiesQuickly = (key: KeyObject): boolean =>
  signsQuickly(key) || key.asymmetricKeyType === 'rsa'

/**
 * What node:crypto does with a whole message, off the event loop where that pays.
 * @param hash - Node's name of it; `null` where the algorithm has its own
 * @param options - padding and salt length of RSA
 */
export const nativeScheme = (
  hash: string | null,
  options: Omit<SignKeyObjectInput, 'key'> = {},
): SignatureScheme => ({
  async sign(key, message) {
    const input = { ...options, key }
    return signsQuickly(key) ? sign(hash, message, input) : signElsewhere(hash, message, input)
  },
  async verify(key, message, signature) {
    const input = { ...options, key }
    return verifiesQuickly(key)
      ? verify(hash, message, input, signature)
      : verifyElsewhere(hash, message, input, signature)
  },
})
