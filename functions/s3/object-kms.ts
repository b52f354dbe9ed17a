/** KMS as S3 asks it: in this process, as the caller of S3, authorized and recorded like any call. */
import { ensureManagedKey, isManagedAlias } from '../../shared/blobs/managed-key.ts'
import type { ObjectKeyServices, ObjectKms } from '../../shared/blobs/object-encryption.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { invoke } from '../../shared/pipeline/pipeline.ts'
import { decrypt } from '../kms/decrypt.ts'
import { generateDataKey } from '../kms/generate-data-key.ts'

/** What makes and opens the object keys of a call. */
export const objectKeyServices = (call: Call): ObjectKeyServices => ({
  tenantKeys: call.services.tenantKeys,
  kms: objectKms(call),
})

const objectKms = (call: Call): ObjectKms => ({
  async generateDataKey(keyId, context) {
    const input = {
      KeyId: await keyIdentifier(keyId, call),
      EncryptionContext: context,
      KeySpec: 'AES_256',
    } as const
    const { KeyId, Plaintext, CiphertextBlob } = await invoke(generateDataKey, input, call, 's3')
    return { keyArn: KeyId, dataKey: Plaintext, blob: CiphertextBlob }
  },
  async decrypt(keyArn, blob, context) {
    const input = {
      KeyId: keyArn,
      CiphertextBlob: Buffer.from(blob),
      EncryptionContext: context,
    }
    return (await invoke(decrypt, input, call, 's3')).Plaintext
  },
})

async function keyIdentifier(keyId: string | null, { caller, region, services }: Call) {
  const isManaged = keyId === null || isManagedAlias(keyId, caller.account, region)
  return isManaged ? ensureManagedKey(caller.account, region, services) : keyId
}
