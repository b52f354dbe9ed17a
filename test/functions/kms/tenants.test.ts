/** Tenants that reach for each other's keys. */
import {
  CreateAliasCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { bytes, givenAlias, givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())

const { admin } = stack
const other = await stack.tenant('444455556666')
const [kms, foreign] = [kmsClient(admin), kmsClient(other)]
const key = await givenKey(kms)
const alias = await givenAlias(kms, key.keyId)
const aliasArn = key.arn.replace(/key\/.*/, alias)

const statement = (Effect: string, Action: unknown, more: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect, Action, Resource: '*', ...more }],
})
const allow = (Action: unknown, more: object = {}) => statement('Allow', Action, more)

const denied = ({ arn }: User, action: string, rest: string) =>
  refused('AccessDeniedException', `User: ${arn} is not authorized to perform: ${action} ${rest}`)
const describe_ = (by: User, KeyId: string) =>
  refusalOf(kmsClient(by).send(new DescribeKeyCommand({ KeyId })))

const shared = await givenKey(kms)
const sharedAlias = await givenAlias(kms, shared.keyId)
await kms.send(
  new PutKeyPolicyCommand({
    KeyId: shared.keyId,
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { AWS: [admin.account, other.account] },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    }),
  }),
)

describe('Another account', () => {
  test('uses a key that is shared with it, by ARN or alias ARN', async () => {
    for (const KeyId of [shared.arn, shared.arn.replace(/key\/.*/, sharedAlias)]) {
      const { CiphertextBlob } = await foreign.send(
        new EncryptCommand({ KeyId, Plaintext: bytes('hello') }),
      )
      const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
      expect(Buffer.from(Plaintext ?? []).toString()).toBe('hello')
      const opened = await foreign.send(new DecryptCommand({ CiphertextBlob }))
      expect(opened.KeyId).toBe(shared.arn)
    }
  })

  test('can be let in by what the key is', async () => {
    const { keyId, arn } = await givenKey(kms, { Tags: [{ TagKey: 'open', TagValue: 'yes' }] })
    const letIn = (open: string) =>
      kms.send(
        new PutKeyPolicyCommand({
          KeyId: keyId,
          Policy: JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Allow',
                Principal: { AWS: admin.account },
                Action: 'kms:*',
                Resource: '*',
              },
              {
                Effect: 'Allow',
                Principal: { AWS: other.account },
                Action: 'kms:DescribeKey',
                Resource: '*',
                Condition: { StringEquals: { 'aws:ResourceTag/open': open } },
              },
            ],
          }),
        }),
      )
    await letIn('yes')
    const { KeyMetadata } = await foreign.send(new DescribeKeyCommand({ KeyId: arn }))
    expect(KeyMetadata?.Arn).toBe(arn)
    await letIn('no')
    expect((await describe_(other, arn)).name).toBe('AccessDeniedException')
  })

  test('does not find it by its bare id or alias', async () => {
    const own = `arn:aws:kms:us-east-1:${other.account}`
    expect(await describe_(other, shared.keyId)).toEqual(
      refused('NotFoundException', `Key '${own}:key/${shared.keyId}' does not exist`),
    )
    expect(await describe_(other, sharedAlias)).toEqual(
      refused('NotFoundException', `Alias ${own}:${sharedAlias} is not found.`),
    )
  })

  test('needs permission of its own', async () => {
    const user = await stack.user(other.account, 'none')
    expect(await describe_(user, shared.arn)).toEqual(
      denied(
        user,
        'kms:DescribeKey',
        'on this resource because no identity-based policy allows the kms:DescribeKey action',
      ),
    )
  })

  test('does not manage it, whatever its policy says', async () => {
    const get = foreign.send(new GetKeyPolicyCommand({ KeyId: shared.arn }))
    const disable = foreign.send(new DisableKeyCommand({ KeyId: shared.arn }))
    expect((await refusalOf(get)).name).toBe('AccessDeniedException')
    expect((await refusalOf(disable)).name).toBe('AccessDeniedException')
    await kms.send(new EncryptCommand({ KeyId: shared.keyId, Plaintext: bytes('x') }))
  })

  test('gets one answer for keys that refuse it and keys that do not exist', async () => {
    const absent = key.arn.replace(key.keyId, '00000000-0000-0000-0000-000000000000')
    const users = [
      other,
      await stack.user(other.account, 'without-any'),
      await stack.user(
        other.account,
        'by-spec',
        allow('kms:*', { Condition: { StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } } }),
      ),
      await stack.user(
        other.account,
        'only-keys',
        allow('kms:*', { Resource: 'arn:aws:kms:*:*:key/*' }),
      ),
      await stack.user(
        other.account,
        'not-these',
        allow('kms:*'),
        statement('Deny', 'kms:*', {
          Condition: { StringEquals: { 'aws:ResourceAccount': admin.account } },
        }),
      ),
    ]
    for (const user of users) {
      const [existing, missing, byAlias, byAbsentAlias] = [
        await describe_(user, key.arn),
        await describe_(user, absent),
        await describe_(user, aliasArn),
        await describe_(user, `${aliasArn}-absent`),
      ]
      expect(existing.name).toBe('AccessDeniedException')
      expect(missing).toEqual(existing)
      expect(byAbsentAlias).toEqual(byAlias)
    }
  })

  test('is told the same of every key when its own account allows it', async () => {
    expect(await describe_(other, key.arn)).toEqual(
      denied(
        other,
        'kms:DescribeKey',
        'on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access',
      ),
    )
  })

  test('cannot tell the key of a ciphertext from one that does not exist', async () => {
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x') }),
    )
    const forged = Buffer.from(CiphertextBlob ?? [])
    forged.fill(1, 9, 25)
    const decrypt = (blob: Uint8Array | undefined, KeyId?: string) =>
      refusalOf(foreign.send(new DecryptCommand({ CiphertextBlob: blob, KeyId })))
    const refusal = await decrypt(CiphertextBlob)
    expect(refusal.name).toBe('AccessDeniedException')
    expect(await decrypt(forged)).toEqual(refusal)
    expect(await decrypt(CiphertextBlob, key.arn)).toEqual(refusal)
  })

  test('lists nothing but its own', async () => {
    const { Keys } = await foreign.send(new ListKeysCommand({}))
    const { Aliases } = await foreign.send(new ListAliasesCommand({}))
    expect([Keys, Aliases]).toEqual([[], []])
    const listed = foreign.send(new ListAliasesCommand({ KeyId: key.arn }))
    expect((await refusalOf(listed)).name).toBe('NotFoundException')
  })

  test('may have the same alias names', async () => {
    const { keyId } = await givenKey(foreign)
    await foreign.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: keyId }))
    const described = await foreign.send(new DescribeKeyCommand({ KeyId: alias }))
    expect(described.KeyMetadata?.KeyId).toBe(keyId)
  })

  test('cannot use the markers of another', async () => {
    const { NextMarker: Marker } = await kms.send(new ListKeysCommand({ Limit: 1 }))
    expect(Marker).toBeTypeOf('string')
    expect(await refusalOf(foreign.send(new ListKeysCommand({ Marker })))).toEqual(
      refused('InvalidMarkerException', null),
    )
  })
})

test('No operation of one tenant works on the key of another', async () => {
  const Plaintext = 'eA=='
  const { json } = jsonOf(await callKms(admin, 'Encrypt', { KeyId: key.keyId, Plaintext }))
  const { CiphertextBlob } = json as { CiphertextBlob: string }
  const own = await givenKey(foreign)
  const operations: readonly (readonly [string, object])[] = [
    ['DescribeKey', {}],
    ['Encrypt', { Plaintext }],
    ['Decrypt', { CiphertextBlob }],
    ['GenerateDataKey', { KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeySpec: 'AES_256' }],
    ['ReEncrypt', { CiphertextBlob, DestinationKeyId: own.keyId, SourceKeyId: key.arn }],
    ['EnableKey', {}],
    ['DisableKey', {}],
    ['ScheduleKeyDeletion', {}],
    ['CancelKeyDeletion', {}],
    ['GetKeyPolicy', {}],
    ['PutKeyPolicy', { Policy: '{}' }],
    ['ListKeyPolicies', {}],
    ['GetKeyRotationStatus', {}],
    ['ListResourceTags', {}],
    ['TagResource', { Tags: [{ TagKey: 'a', TagValue: '' }] }],
    ['UntagResource', { TagKeys: ['a'] }],
    ['CreateAlias', { AliasName: newAliasName(), TargetKeyId: key.arn }],
    ['ListAliases', {}],
  ]
  const before = await kms.send(new DescribeKeyCommand({ KeyId: key.keyId }))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...operations),
      fc.constantFrom(key.arn, key.keyId, alias, aliasArn, key.arn.toUpperCase()),
      async ([operation, input], KeyId) => {
        const names = { KeyId, ...('TargetKeyId' in input ? { TargetKeyId: KeyId } : {}) }
        const blobOnly = operation === 'Decrypt' ? {} : names
        const { status } = await callKms(other, operation, { ...input, ...blobOnly })
        // The other tenant has an alias of the same name by now, which leads to its own key.
        if (KeyId !== alias || operation === 'Decrypt')
          expect([operation, KeyId, status]).toEqual([operation, KeyId, 400])
      },
    ),
    { numRuns: 200 },
  )
  const after = await kms.send(new DescribeKeyCommand({ KeyId: key.keyId }))
  expect(after.KeyMetadata).toEqual(before.KeyMetadata)
})
