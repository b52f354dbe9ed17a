import type { KMSClient } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  givenExternalKey,
  givenImporting,
  givenParameters,
  type ImportOptions,
  importInto,
  materialNamed,
} from '../../support/import.ts'
import { givenInProcessStack, type InProcessStack } from '../../support/in-process-stack.ts'
import { kmsClient } from '../../support/kms.ts'
import { refusalOf } from '../../support/refusal.ts'

let stack: InProcessStack
let kms: KMSClient
beforeAll(async () => {
  stack = await givenInProcessStack()
  kms = kmsClient(stack.stack)
})
afterAll(() => stack.close())

const A = materialNamed('A')
const DAY = 24 * 60 * 60 * 1000
const inDays = (days: number) => new Date(Date.now() + days * DAY)
const DENIED = 'AccessDeniedException'

const allowed = async (Action: string, Condition: object) =>
  kmsClient(await stack.user([{ Effect: 'Allow', Action, Resource: '*', Condition }]))

describe('Policies can ask', () => {
  test.for([
    ['kms:WrappingAlgorithm', 'RSAES_OAEP_SHA_256', 'RSAES_OAEP_SHA_1'],
    ['kms:WrappingKeySpec', 'RSA_2048', 'RSA_3072'],
  ] as const)('for %s', async ([key, value, other]) => {
    const { keyId } = await givenExternalKey(kms)
    const ask = async (wanted: string) =>
      givenParameters(
        await allowed('kms:GetParametersForImport', { StringEquals: { [key]: wanted } }),
        keyId,
      )
    expect((await ask(value)).ImportToken).toBeDefined()
    expect((await refusalOf(ask(other))).name).toBe(DENIED)
  })

  test.for<[string, object, ImportOptions, ImportOptions]>([
    [
      'kms:ExpirationModel',
      { StringEquals: { 'kms:ExpirationModel': 'KEY_MATERIAL_EXPIRES' } },
      { ExpirationModel: undefined, ValidTo: inDays(1) },
      {},
    ],
    [
      'kms:ValidTo',
      { DateLessThan: { 'kms:ValidTo': inDays(10).toISOString() } },
      { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: inDays(9) },
      { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: inDays(11) },
    ],
  ])('for %s', async ([, condition, fits, other]) => {
    const { keyId, parameters } = await givenImporting(kms)
    const client = await allowed('kms:ImportKeyMaterial', condition)
    await importInto(client, keyId, A, { parameters, ...fits })
    const attempt = importInto(client, keyId, A, { parameters, ...other })
    expect((await refusalOf(attempt)).name).toBe(DENIED)
  })
})

test('Each of the three operations needs its own permission', async () => {
  const key = await givenImporting(kms)
  const client = await allowed('kms:DescribeKey', {})
  expect((await refusalOf(givenParameters(client, key.keyId))).message).toContain(
    'is not authorized to perform: kms:GetParametersForImport on resource:',
  )
  const attempt = importInto(client, key.keyId, A, { parameters: key.parameters })
  expect((await refusalOf(attempt)).message).toContain('kms:ImportKeyMaterial')
})

describe('The record of', () => {
  const lastOf = async (eventName: string) =>
    (await stack.records()).findLast((record) => record.eventName === eventName)

  test('GetParametersForImport shows what was asked for, and no token', async () => {
    const { keyId, arn } = await givenImporting(kms)
    expect(await lastOf('GetParametersForImport')).toMatchObject({
      readOnly: true,
      requestParameters: {
        keyId,
        wrappingAlgorithm: 'RSAES_OAEP_SHA_256',
        wrappingKeySpec: 'RSA_2048',
      },
      responseElements: null,
      resources: [{ ARN: arn }],
    })
  })

  test('ImportKeyMaterial shows how long the material is to last, and nothing of it', async () => {
    const key = await givenImporting(kms)
    const ValidTo = inDays(3)
    const { KeyMaterialId } = await key.import(A, {
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ValidTo,
      ImportType: 'NEW_KEY_MATERIAL',
      KeyMaterialDescription: 'from the safe',
    })
    const record = await lastOf('ImportKeyMaterial')
    expect(record?.readOnly).toBe(false)
    expect(record?.requestParameters).toEqual({
      keyId: key.keyId,
      validTo: expect.any(String),
      expirationModel: 'KEY_MATERIAL_EXPIRES',
      importType: 'NEW_KEY_MATERIAL',
      keyMaterialDescription: 'from the safe',
    })
    expect(record?.responseElements).toEqual({ keyId: key.arn, keyMaterialId: KeyMaterialId })
  })

  test('DeleteImportedKeyMaterial shows which material it was', async () => {
    const key = await givenImporting(kms)
    const { KeyMaterialId } = await key.import(A)
    await key.remove(KeyMaterialId)
    expect(await lastOf('DeleteImportedKeyMaterial')).toMatchObject({
      readOnly: false,
      requestParameters: { keyId: key.keyId, keyMaterialId: KeyMaterialId },
      responseElements: { keyId: key.arn, keyMaterialId: KeyMaterialId },
    })
  })
})
