import {
  CreateAliasCommand,
  DisableKeyCommand,
  GetParametersForImportCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  givenExternalKey,
  givenParameters,
  givenImported as imported,
  importInto,
  materialNamed,
} from '../../support/import.ts'
import { givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const A = materialNamed('A')
const SECOND = 1000
const DAY = 24 * 60 * 60 * SECOND
const givenImported = () => imported(kms, A)

describe('GetParametersForImport', () => {
  test('gives a key, and a token that lasts a day', async () => {
    const { keyId, arn } = await givenExternalKey(kms)
    const before = Date.now()
    const { $metadata, ...answer } = await kms.send(
      new GetParametersForImportCommand({
        KeyId: arn,
        WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
        WrappingKeySpec: 'RSA_2048',
      }),
    )
    expect(answer).toEqual({
      KeyId: `arn:aws:kms:us-east-1:${stack.account}:key/${keyId}`,
      ImportToken: expect.any(Uint8Array),
      PublicKey: expect.any(Uint8Array),
      ParametersValidTo: expect.any(Date),
    })
    expect(answer.PublicKey).toHaveLength(294)
    const left = (answer.ParametersValidTo?.getTime() ?? 0) - before
    expect(left).toBeGreaterThanOrEqual(DAY - SECOND)
    expect(left).toBeLessThanOrEqual(DAY + 10 * SECOND)
  })

  test('gives another key each time, and those before stay valid', async () => {
    const { keyId } = await givenExternalKey(kms)
    const [first, second] = [await givenParameters(kms, keyId), await givenParameters(kms, keyId)]
    expect(first.PublicKey).not.toEqual(second.PublicKey)
    await importInto(kms, keyId, A, { parameters: first })
    await importInto(kms, keyId, A, { parameters: second })
  })

  test.for([
    ['RSA_3072', 422],
    ['RSA_4096', 550],
  ] as const)('makes wrapping keys of %s', async ([spec, length]) => {
    const { keyId } = await givenExternalKey(kms)
    const parameters = await givenParameters(kms, keyId, 'RSAES_OAEP_SHA_1', spec)
    expect(parameters.PublicKey).toHaveLength(length)
    expect(parameters.ImportToken.length).toBeLessThanOrEqual(6144)
    await importInto(kms, keyId, A, { parameters })
  })

  test('refuses keys whose material was made here, and those pending deletion', async () => {
    const own = await givenKey(kms)
    expect(await refusalOf(givenParameters(kms, own.keyId))).toEqual(
      refused(
        'UnsupportedOperationException',
        `${own.arn} origin is AWS_KMS which is not valid for this operation.`,
      ),
    )
    const { keyId, arn } = await givenExternalKey(kms)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId }))
    expect(await refusalOf(givenParameters(kms, keyId))).toEqual(
      refused('KMSInvalidStateException', `${arn} is pending deletion.`),
    )
  })

  test.for([
    ['SYMMETRIC_DEFAULT', 'RSAES_PKCS1_V1_5', 'RSA_2048'],
    ['SYMMETRIC_DEFAULT', 'RSA_AES_KEY_WRAP_SHA_256', 'RSA_4096'],
    ['SYMMETRIC_DEFAULT', 'SM2PKE', 'SM2'],
    ['RSA_2048', 'RSAES_OAEP_SHA_256', 'RSA_4096'],
    ['ECC_NIST_P521', 'RSAES_OAEP_SHA_1', 'RSA_2048'],
  ] as const)('has no way for %s to come by %s with %s', async ([KeySpec, algorithm, spec]) => {
    const KeyUsage = KeySpec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : 'SIGN_VERIFY'
    const { keyId } = await givenExternalKey(kms, { KeySpec, KeyUsage })
    expect(await refusalOf(givenParameters(kms, keyId, algorithm, spec))).toEqual(
      refused(
        'ValidationException',
        `Wrapping algorithm ${algorithm} and wrapping key spec ${spec} cannot be used to import a ${KeySpec} key.`,
      ),
    )
  })

  test('works on a disabled key', async () => {
    const { keyId, parameters } = await givenImported()
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    expect((await givenParameters(kms, keyId)).PublicKey).not.toEqual(parameters.PublicKey)
  })

  test('takes no alias', async () => {
    const { keyId } = await givenExternalKey(kms)
    const AliasName = newAliasName()
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: keyId }))
    expect(await refusalOf(givenParameters(kms, AliasName))).toEqual(
      refused('InvalidArnException', 'Key Aliases are not supported for this operation.'),
    )
  })
})
