/**
 * The root key in AWS KMS. The AAD goes into the encryption context as its SHA-256 hash, so that it
 * is bound and authenticated there, and AWS's own audit log shows no more than the hash.
 */
import { hash } from 'node:crypto'
import type { KMSClient } from '@aws-sdk/client-kms'
import { KEY_LENGTH } from '../crypto/aes-gcm.ts'
import { type Hsm, HsmUnavailable, SealBroken } from './hsm.ts'
import { requireKeyLength } from './sealed-key.ts'

// What the caller waits for at most, over all tries, stays well below a Lambda's time limit.
const clientOptions = {
  maxAttempts: 3,
  requestHandler: { connectionTimeout: 1000, requestTimeout: 2000 },
}

/** AWS KMS API reference, Decrypt: the errors that say that ciphertext, context and key do not belong together. */
const brokenSealErrors: ReadonlySet<string> = new Set([
  'InvalidCiphertextException',
  'IncorrectKeyException',
])

/**
 * @param options.keyId - key id or ARN of a symmetric key of AWS KMS. No alias: an alias that is
 *   pointed at another key would leave everything that it sealed behind.
 * @param options.client - otherwise one is made from the environment at the first call
 * @throws TypeError when `keyId` is an alias
 */
export function openAwsKmsHsm(options: {
  readonly keyId: string
  readonly client?: KMSClient
}): Hsm {
  if (/^alias\/|:alias\//.test(options.keyId)) {
    throw new TypeError('The root key must be named by key id or key ARN, not by an alias.')
  }
  return new AwsKmsHsm(options.keyId, options.client ?? null)
}

class AwsKmsHsm implements Hsm {
  readonly rootKeyId: string
  readonly #keyId: string
  readonly #clientIsGiven: boolean
  #client: KMSClient | null
  #closed = false

  constructor(keyId: string, client: KMSClient | null) {
    this.rootKeyId = `aws-kms:${keyId}`
    this.#keyId = keyId
    this.#clientIsGiven = client !== null
    this.#client = client
  }

  async seal(keyBytes: Uint8Array, aad: Uint8Array): Promise<Uint8Array> {
    requireKeyLength(keyBytes)
    const { CiphertextBlob } = await this.#call(async (client, { EncryptCommand }) =>
      client.send(
        new EncryptCommand({
          KeyId: this.#keyId,
          Plaintext: keyBytes,
          EncryptionContext: contextOf(aad),
        }),
      ),
    )
    if (CiphertextBlob === undefined)
      throw new HsmUnavailable('AWS KMS answered without ciphertext.')
    return CiphertextBlob
  }

  async open(rootKeyId: string, sealed: Uint8Array, aad: Uint8Array): Promise<Buffer> {
    // Never with the key that the record names: whoever can write records could name one of theirs.
    if (rootKeyId !== this.rootKeyId) throw new SealBroken('Sealed by another root key.')
    const { Plaintext } = await this.#call(async (client, { DecryptCommand }) =>
      client.send(
        new DecryptCommand({
          KeyId: this.#keyId,
          CiphertextBlob: sealed,
          EncryptionContext: contextOf(aad),
        }),
      ),
    )
    if (Plaintext?.length !== KEY_LENGTH) throw new SealBroken('AWS KMS opened something else.')
    return movedToOwnBuffer(Plaintext)
  }

  async close(): Promise<void> {
    this.#closed = true
    if (!this.#clientIsGiven) this.#client?.destroy()
  }

  /** Loads the SDK at the first call: what starts up may never need it. */
  async #call<Output>(
    send: (client: KMSClient, kms: typeof import('@aws-sdk/client-kms')) => Promise<Output>,
  ): Promise<Output> {
    const kms = await import('@aws-sdk/client-kms')
    if (this.#closed) throw new HsmUnavailable('The connection to AWS KMS is closed.')
    this.#client ??= new kms.KMSClient(clientOptions)
    try {
      return await send(this.#client, kms)
    } catch (error) {
      throw translated(error)
    }
  }
}

const contextOf = (aad: Uint8Array): Record<string, string> => ({
  'keyhold:aad-sha256': hash('sha256', aad, 'hex'),
})

/** A key that was disabled or a permission that was taken away is as little the record's fault as an outage. */
const translated = (cause: unknown): Error =>
  cause instanceof Error && brokenSealErrors.has(cause.name)
    ? new SealBroken('AWS KMS does not open the sealed key.', { cause })
    : new HsmUnavailable('AWS KMS does not answer as it should.', { cause })

function movedToOwnBuffer(bytes: Uint8Array): Buffer {
  const own = Buffer.allocUnsafeSlow(bytes.length)
  own.set(bytes)
  bytes.fill(0)
  return own
}
