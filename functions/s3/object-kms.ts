/** KMS as S3 asks it: in this process, as the caller of S3, authorized and recorded like any call. */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { BucketKeys } from '../../shared/blobs/bucket-keys.ts'
import { ensureManagedKey, isManagedAlias } from '../../shared/blobs/managed-key.ts'
import type {
  EncryptionContext,
  ObjectKeyServices,
  ObjectKms,
  WrappingKey,
} from '../../shared/blobs/object-encryption.ts'
import { encodeEncryptionContext } from '../../shared/crypto/encryption-context.ts'
import { parseKeyReference } from '../../shared/keys/key-reference.ts'
import { readSeconds } from '../../shared/lambda/seconds.ts'
import type { Call, Services } from '../../shared/pipeline/operation.ts'
import { invoke } from '../../shared/pipeline/pipeline.ts'
import { decrypt } from '../kms/decrypt.ts'
import { generateDataKey } from '../kms/generate-data-key.ts'

/** What makes and opens the object keys of a call. */
export const objectKeyServices = (call: Call): ObjectKeyServices => ({
  tenantKeys: call.services.tenantKeys,
  kms: objectKms(call),
})

const objectKms = (call: Call): ObjectKms => ({
  async generateDataKey(keyId, context, sharedIn) {
    const identifier = await keyIdentifier(keyId, call)
    const ask = () => askForDataKey(identifier, context, call)
    const keyArn = sharedIn === null ? null : await usableKey(identifier, call)
    if (keyArn === null || sharedIn === null) return ask()
    return bucketKeysOf(call.services).forWrites.get(use(keyArn, sharedIn, context, call), ask)
  },
  async decrypt(keyArn, blob, context, shared) {
    const ask = () => askToDecrypt(keyArn, blob, context, call)
    if (!shared || (await usableKey(keyArn, call)) === null) return ask()
    return bucketKeysOf(call.services).forReads.get(use(keyArn, blob, context, call), ask)
  },
})

async function askForDataKey(
  identifier: string,
  context: EncryptionContext,
  call: Call,
): Promise<WrappingKey> {
  const input = { KeyId: identifier, EncryptionContext: context, KeySpec: 'AES_256' } as const
  const { KeyId, Plaintext, CiphertextBlob } = await invoke(generateDataKey, input, call, 's3')
  return { keyArn: KeyId, wrappingKey: heldKey(Plaintext), blob: CiphertextBlob }
}

async function askToDecrypt(
  keyArn: string,
  blob: Uint8Array,
  context: EncryptionContext,
  call: Call,
): Promise<KeyObject> {
  const input = {
    KeyId: keyArn,
    CiphertextBlob: Buffer.from(blob),
    EncryptionContext: context,
  }
  return heldKey((await invoke(decrypt, input, call, 's3')).Plaintext)
}

function heldKey(bytes: Buffer): KeyObject {
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

async function keyIdentifier(keyId: string | null, { caller, region, services }: Call) {
  const isManaged = keyId === null || isManagedAlias(keyId, caller.account, region)
  return isManaged ? ensureManagedKey(caller.account, region, services) : keyId
}

/**
 * A shared data key serves only as long as its KMS key could: one that is disabled, gone or about to
 * go is asked for, and KMS refuses in its own words.
 * @returns the key's ARN; `null` when KMS has to be asked
 */
async function usableKey(identifier: string, { caller, region, services }: Call) {
  try {
    const reference = parseKeyReference(identifier, { account: caller.account, region }, true)
    const found = await services.keys.find(reference, region, false)
    return found?.state === 'Enabled' ? found.arn : null
  } catch {
    return null
  }
}

const use = (
  keyArn: string,
  of: Uint8Array | string,
  context: EncryptionContext,
  { caller }: Call,
) => ({
  accessKeyId: caller.accessKeyId,
  keyArn,
  of: typeof of === 'string' ? `${caller.account} ${of}` : of,
  context: encodeEncryptionContext(context),
})

/** AWS keeps a bucket key for "a limited time". */
const DEFAULT_SECONDS = 300

interface SharedKeys {
  readonly forWrites: BucketKeys<WrappingKey>
  readonly forReads: BucketKeys<KeyObject>
}

const kept = new WeakMap<Services, SharedKeys>()

function bucketKeysOf(services: Services): SharedKeys {
  let found = kept.get(services)
  if (found === undefined) {
    const maxAgeMs = readSeconds(process.env, 'KEYHOLD_BUCKET_KEY_SECONDS', DEFAULT_SECONDS)
    const { clock } = services
    found = {
      forWrites: new BucketKeys(maxAgeMs, clock),
      forReads: new BucketKeys(maxAgeMs, clock),
    }
    kept.set(services, found)
  }
  return found
}
