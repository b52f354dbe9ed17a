/** What the operations on the rotation of a key answer alike: identifiers, states, kinds of keys, records. */
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  ReplicateKeyCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { importInto, materialNamed } from '../../support/import.ts'
import {
  givenAlias,
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
} from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { givenTimedStack, MINUTE } from '../../support/timed-stack.ts'

const stack = await givenTimedStack()
afterAll(() => stack.close())
const { kms, admin } = stack
const CHANGING = ['EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand'] as const
const READING = ['GetKeyRotationStatus', 'ListKeyRotations', 'GetKeyLastUsage'] as const
const ALL = [...CHANGING, ...READING]
type Changing = (typeof CHANGING)[number]

async function call(operation: string, KeyId: string, region = 'us-east-1') {
  return jsonOf(await callKms({ ...admin, region }, operation, { KeyId }))
}

const refusal = (type: string, message?: string) => ({
  status: 400,
  json: message === undefined ? { __type: type } : { __type: type, message },
})
const invalidState = (message: string) => refusal('KMSInvalidStateException', message)
const unsupported = (message?: string) => refusal('UnsupportedOperationException', message)

describe.for(ALL)('%s', (operation) => {
  test('takes a key id and a key ARN', async () => {
    const { keyId, arn } = await givenKey(kms)
    expect((await call(operation, keyId)).status).toBe(200)
    expect((await call(operation, arn)).status).toBe(200)
  })

  test('takes no alias', async () => {
    const alias = await givenAlias(kms, (await givenKey(kms)).keyId)
    expect(await call(operation, alias)).toEqual(
      refusal('InvalidArnException', 'Key Aliases are not supported for this operation.'),
    )
  })

  test('tells of a key that is not there', async () => {
    const id = '00000000-0000-0000-0000-000000000000'
    const arn = `arn:aws:kms:us-east-1:${admin.account}:key/${id}`
    const missing = refusal('NotFoundException', `Key '${arn}' does not exist`)
    expect(await call(operation, id)).toEqual(missing)
    expect(await call(operation, arn)).toEqual(missing)
    expect(await call(operation, 'nonsense')).toEqual(
      refusal('NotFoundException', "Invalid keyId 'nonsense'"),
    )
  })

  test('needs a key', async () => {
    const answer = await callKms(admin, operation, {})
    expect(jsonOf(answer).json).toMatchObject({
      __type: 'ValidationException',
      message: expect.stringContaining("Value null at 'keyId'"),
    })
  })

  test('is refused without permission', async () => {
    const { arn } = await givenKey(kms)
    const user = await stack.user(admin.account, `nobody-${operation}`)
    const answer = jsonOf(await callKms(user, operation, { KeyId: arn })).json
    expect(answer).toEqual({
      __type: 'AccessDeniedException',
      message: expect.stringContaining(`is not authorized to perform: kms:${operation}`),
    })
  })

  test('leaves one record that names the key', async () => {
    const { keyId, arn } = await givenKey(kms)
    const { headers } = await callKms(admin, operation, { KeyId: keyId })
    const records = (await stack.records()).filter(
      ({ requestID }) => requestID === headers['x-amzn-requestid'],
    )
    expect(records).toHaveLength(1)
    expect(records[0]).toMatchObject({
      eventName: operation,
      requestParameters: { keyId },
      responseElements: operation === 'RotateKeyOnDemand' ? { keyId: arn } : null,
      readOnly: READING.includes(operation as never),
      resources: [{ ARN: arn, accountId: admin.account, type: 'AWS::KMS::Key' }],
    })
  })
})

describe.for(READING)('%s', (operation) => {
  test('answers for keys in every state and of every kind', async () => {
    const plans: CreateKeyCommandInput[] = [
      { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' },
      { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
      { Origin: 'EXTERNAL' },
      { MultiRegion: true },
    ]
    const keys = [await givenDisabledKey(kms), await givenKeyPendingDeletion(kms)]
    for (const plan of plans) keys.push(await givenKey(kms, plan))
    for (const { keyId } of keys) expect((await call(operation, keyId)).status).toBe(200)
  })
})

const STATES = [
  ['a disabled key', givenDisabledKey, refusal('DisabledException', '<arn> is disabled.')],
  ['a key pending deletion', givenKeyPendingDeletion, invalidState('<arn> is pending deletion.')],
] as const

describe.for(CHANGING)('%s refuses', (operation) => {
  test.for(STATES)('%s', async ([, given, expected]) => {
    const { keyId, arn } = await given(kms)
    expect(await call(operation, keyId)).toEqual(named(expected, arn))
  })

  test('a replica, before anything else', async () => {
    const { keyId, arn } = await givenKey(kms, { MultiRegion: true })
    await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'eu-west-1' }))
    const replica = arn.replace('us-east-1', 'eu-west-1')
    const expected = unsupported(
      `${replica} is a multi-region replica key which is not valid for ${operation}.`,
    )
    expect(await call(operation, keyId, 'eu-west-1')).toEqual(expected)
    await stack.advance(MINUTE)
    expect(await call(operation, keyId, 'eu-west-1')).toEqual(expected)
    expect((await call(operation, keyId)).status).toBe(200)
  })

  test('a primary whose replicas are being deleted', async () => {
    const { keyId, arn } = await givenKey(kms, { MultiRegion: true })
    await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'eu-west-1' }))
    await stack.advance(MINUTE)
    await callKms(admin, 'ScheduleKeyDeletion', { KeyId: keyId })
    expect(await call(operation, keyId)).toEqual(
      invalidState(`${arn} is pending replica deletion.`),
    )
  })
})

test.for(['EnableKeyRotation', 'DisableKeyRotation'] satisfies Changing[])(
  '%s refuses keys with imported material, whatever their state',
  async (operation) => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Origin: 'EXTERNAL' }))
    const { Arn = '', KeyId = '' } = KeyMetadata ?? {}
    const expected = unsupported(`${Arn} origin is EXTERNAL which is not valid for this operation.`)
    expect(await call(operation, Arn)).toEqual(expected)
    await importInto(kms, KeyId, materialNamed('one'))
    expect(await call(operation, Arn)).toEqual(expected)
    await callKms(admin, 'DisableKey', { KeyId })
    expect(await call(operation, Arn)).toEqual(expected)
    await callKms(admin, 'ScheduleKeyDeletion', { KeyId })
    expect(await call(operation, Arn)).toEqual(expected)
  },
)

const OTHER_SPECS = [
  { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
  { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
] as const

test.for(OTHER_SPECS)(
  'Keys of another spec do not rotate, yet can have their rotation disabled: $KeySpec',
  async (plan) => {
    const { keyId, arn } = await givenKey(kms, plan)
    expect(await call('EnableKeyRotation', keyId)).toEqual(unsupported())
    expect(await call('RotateKeyOnDemand', keyId)).toEqual(unsupported())
    expect(await call('DisableKeyRotation', keyId)).toEqual({ status: 200, json: null })
    await callKms(admin, 'DisableKey', { KeyId: keyId })
    const disabled = refusal('DisabledException', `${arn} is disabled.`)
    for (const operation of CHANGING) expect(await call(operation, keyId)).toEqual(disabled)
  },
)

const named = (expected: ReturnType<typeof refusal>, arn: string) =>
  JSON.parse(JSON.stringify(expected).replace('<arn>', arn))
