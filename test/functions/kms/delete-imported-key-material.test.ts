import {
  CreateAliasCommand,
  DeleteImportedKeyMaterialCommand,
  EncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  givenImporting as given,
  givenImported as imported,
  materialNamed,
} from '../../support/import.ts'
import { bytes, givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const A = materialNamed('A')
const givenImporting = (input = {}) => given(kms, input)
const givenImported = () => imported(kms, A)
const encrypt = (KeyId: string) =>
  kms.send(new EncryptCommand({ KeyId, Plaintext: bytes('hello') }))

describe('DeleteImportedKeyMaterial', () => {
  test('makes the key wait for the same material', async () => {
    const key = await givenImported()
    const { $metadata, ...answer } = await key.remove()
    expect(answer).toEqual({ KeyId: key.arn, KeyMaterialId: key.materialId })
    const metadata = await key.metadata()
    expect(metadata).toMatchObject({
      KeyState: 'PendingImport',
      Enabled: false,
      CurrentKeyMaterialId: key.materialId,
    })
    expect(metadata).not.toHaveProperty('ExpirationModel')
    expect(metadata).not.toHaveProperty('ValidTo')
    expect(await refusalOf(encrypt(key.keyId))).toEqual(
      refused('KMSInvalidStateException', `${key.arn} is pending import.`),
    )
  })

  test('succeeds again when there is nothing left', async () => {
    const key = await givenImported()
    await key.remove()
    expect((await key.remove(key.materialId)).KeyMaterialId).toBe(key.materialId)
  })

  test('succeeds for a key that never had any', async () => {
    const key = await givenImporting()
    const { $metadata, ...answer } = await key.remove()
    expect(answer).toEqual({ KeyId: key.arn })
  })

  test('knows the ids of the key’s own material only', async () => {
    const key = await givenImported()
    const { materialId } = await givenImported()
    expect(await refusalOf(key.remove(materialId))).toEqual(
      refused(
        'ValidationException',
        `Key material (id: ${materialId}) has never been imported into KMS key ${key.arn}.`,
      ),
    )
  })

  test('leaves a key that is pending deletion as it is', async () => {
    const key = await givenImported()
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
    await key.remove()
    expect((await key.metadata())?.KeyState).toBe('PendingDeletion')
  })

  test('refuses keys whose material was made here', async () => {
    const { keyId, arn } = await givenKey(kms)
    const command = new DeleteImportedKeyMaterialCommand({ KeyId: keyId })
    expect(await refusalOf(kms.send(command))).toEqual(
      refused(
        'UnsupportedOperationException',
        `${arn} origin is AWS_KMS which is not valid for this operation.`,
      ),
    )
  })

  test('takes no alias, and no id where there is only one material', async () => {
    const key = await givenImporting({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
    const AliasName = newAliasName()
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: key.keyId }))
    const command = new DeleteImportedKeyMaterialCommand({ KeyId: AliasName })
    expect(await refusalOf(kms.send(command))).toEqual(
      refused('InvalidArnException', 'Key Aliases are not supported for this operation.'),
    )
    expect(await refusalOf(key.remove('a'.repeat(64)))).toEqual(
      refused(
        'ValidationException',
        'Input parameter keyMaterialId cannot be used with HMAC_256 imported keys.',
      ),
    )
  })
})
