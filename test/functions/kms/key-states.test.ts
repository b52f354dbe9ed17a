/** What every operation on a key answers in every state of the key. */
import { afterAll, describe, expect, test } from 'vitest'
import type { KeyRecord } from '../../../shared/store/records.ts'
import { givenAlias, givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { givenTenantsStack } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())
const { admin, services } = stack
const kms = kmsClient(admin)
const good = await givenKey(kms)
const Plaintext = 'eA=='

type State = KeyRecord['state']

/** Brings a key into this state behind the back of whatever is cached. */
async function setState(keyId: string, state: State): Promise<KeyRecord> {
  const region = services.regions[0] as never
  const bundle = await services.store.keys.get(admin.account, region, keyId as never)
  if (bundle === null) throw new Error('The key is gone.')
  const { rev } = bundle.key
  const next = { ...bundle.key, state, rev: rev + 1, deletionDate: Date.now() + 1e9 } as KeyRecord
  await services.store.keys.update(next, rev)
  return next
}

/** A key in this state, with an alias and a ciphertext from better days. */
async function givenKeyIn(state: State) {
  const key = await givenKey(kms)
  const alias = await givenAlias(kms, key.keyId)
  const sealed = await callKms(admin, 'Encrypt', { KeyId: key.keyId, Plaintext })
  const { CiphertextBlob } = JSON.parse(sealed.body) as { CiphertextBlob: string }
  services.keys.forget(await setState(key.keyId, state))
  return { ...key, alias, CiphertextBlob }
}

type Given = Awaited<ReturnType<typeof givenKeyIn>>

/** `ok`, or the letter of the error: disabled, pending deletion, pending import, not pending. */
type Outcome = 'ok' | 'd' | 'p' | 'i' | 'n'

const errors = {
  d: ['DisabledException', 'is disabled.'],
  p: ['KMSInvalidStateException', 'is pending deletion.'],
  i: ['KMSInvalidStateException', 'is pending import.'],
  n: ['KMSInvalidStateException', 'is not pending deletion.'],
} as const

const states: readonly State[] = ['Enabled', 'Disabled', 'PendingDeletion', 'PendingImport']
const cryptographic = ['ok', 'd', 'p', 'i'] as const
const readable = ['ok', 'ok', 'ok', 'ok'] as const
const changeable = ['ok', 'ok', 'p', 'ok'] as const
const switchable = ['ok', 'ok', 'p', 'i'] as const

const only = ({ keyId }: Given) => ({ KeyId: keyId })
const cases: readonly [string, (given: Given) => object, readonly Outcome[]][] = [
  ['Encrypt', ({ keyId }) => ({ KeyId: keyId, Plaintext }), cryptographic],
  ['Decrypt', ({ CiphertextBlob }) => ({ CiphertextBlob }), cryptographic],
  ['Decrypt', ({ CiphertextBlob, keyId }) => ({ CiphertextBlob, KeyId: keyId }), cryptographic],
  ['GenerateDataKey', ({ keyId }) => ({ KeyId: keyId, KeySpec: 'AES_256' }), cryptographic],
  [
    'GenerateDataKeyWithoutPlaintext',
    ({ keyId }) => ({ KeyId: keyId, KeySpec: 'AES_256' }),
    cryptographic,
  ],
  [
    'ReEncrypt',
    ({ CiphertextBlob }) => ({ CiphertextBlob, DestinationKeyId: good.keyId }),
    cryptographic,
  ],
  ['DescribeKey', only, readable],
  ['GetKeyPolicy', only, readable],
  [
    'PutKeyPolicy',
    ({ keyId }) => ({
      KeyId: keyId,
      Policy: JSON.stringify({
        Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }],
      }),
    }),
    readable,
  ],
  ['ListKeyPolicies', only, readable],
  ['ListResourceTags', only, readable],
  ['ListAliases', only, readable],
  ['GetKeyRotationStatus', only, readable],
  ['DeleteAlias', ({ alias }) => ({ AliasName: alias }), readable],
  ['UpdateAlias', ({ alias }) => ({ AliasName: alias, TargetKeyId: good.keyId }), readable],
  ['CreateAlias', ({ keyId }) => ({ AliasName: newAliasName(), TargetKeyId: keyId }), changeable],
  [
    'TagResource',
    ({ keyId }) => ({ KeyId: keyId, Tags: [{ TagKey: 'a', TagValue: '' }] }),
    changeable,
  ],
  ['UntagResource', ({ keyId }) => ({ KeyId: keyId, TagKeys: ['a'] }), changeable],
  ['ScheduleKeyDeletion', only, changeable],
  ['EnableKey', only, switchable],
  ['DisableKey', only, switchable],
  ['CancelKeyDeletion', only, ['n', 'n', 'ok', 'n']],
]

describe.each(cases)('%s', (operation, inputOf, outcomes) => {
  test.each(states.map((state, index) => [state, outcomes[index] ?? 'ok'] as const))(
    'of a key that is %s: %s',
    async (state, outcome) => {
      const given = await givenKeyIn(state)
      const answer = jsonOf(await callKms(admin, operation, inputOf(given)))
      if (outcome === 'ok') expect(answer).toMatchObject({ status: 200 })
      else {
        const [__type, text] = errors[outcome]
        expect(answer).toEqual({ status: 400, json: { __type, message: `${given.arn} ${text}` } })
      }
    },
  )
})

test('An alias can be given to a key in any state but pending deletion', async () => {
  for (const state of states) {
    const { keyId } = await givenKeyIn(state)
    const AliasName = await givenAlias(kms, good.keyId)
    const { status } = await callKms(admin, 'UpdateAlias', { AliasName, TargetKeyId: keyId })
    expect([state, status]).toEqual([state, state === 'PendingDeletion' ? 400 : 200])
  }
})

test('ReEncrypt tells the state of its source before that of its destination', async () => {
  const [from, to] = [await givenKeyIn('Disabled'), await givenKeyIn('PendingDeletion')]
  const { CiphertextBlob } = from
  const answer = await callKms(admin, 'ReEncrypt', { CiphertextBlob, DestinationKeyId: to.keyId })
  expect(JSON.parse(answer.body)).toMatchObject({ message: `${from.arn} is disabled.` })
})

test('A key that waits for its material is told to be the wrong one for a ciphertext first', async () => {
  const waiting = await givenKeyIn('PendingImport')
  const { CiphertextBlob } = await givenKeyIn('Enabled')
  const answer = await callKms(admin, 'Decrypt', { CiphertextBlob, KeyId: waiting.keyId })
  expect(JSON.parse(answer.body)).toMatchObject({ __type: 'IncorrectKeyException' })
})

test('The key shows that it waits for its material', async () => {
  const { keyId } = await givenKeyIn('PendingImport')
  const answer = await callKms(admin, 'DescribeKey', { KeyId: keyId })
  expect(JSON.parse(answer.body)).toMatchObject({
    KeyMetadata: { Enabled: false, KeyState: 'PendingImport' },
  })
})

test('Settings are read from the store, whatever is cached', async () => {
  const { keyId, arn } = await givenKeyIn('Enabled')
  await callKms(admin, 'Encrypt', { KeyId: keyId, Plaintext })
  await setState(keyId, 'PendingDeletion')
  const described = await callKms(admin, 'DescribeKey', { KeyId: keyId })
  expect(JSON.parse(described.body).KeyMetadata.KeyState).toBe('PendingDeletion')
  const enabled = await callKms(admin, 'EnableKey', { KeyId: keyId })
  expect(JSON.parse(enabled.body).message).toBe(`${arn} is pending deletion.`)
})
