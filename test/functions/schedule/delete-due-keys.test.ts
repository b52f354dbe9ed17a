import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, expect, test } from 'vitest'
import { deleteDueKeys, handler } from '../../../functions/schedule/delete-due-keys.ts'
import type { Services } from '../../../shared/pipeline/operation.ts'
import { bytes, givenAlias, givenKey, kmsClient } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenTenantsStack } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())
const kms = kmsClient(stack.admin)
const DAY = 24 * 60 * 60 * 1000

/** The services as they will be in some days. */
const inDays = (days: number): Services => ({
  ...stack.services,
  clock: { now: () => Date.now() + days * DAY },
})

async function givenScheduled(PendingWindowInDays = 7) {
  const key = await givenKey(kms)
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('hello') }),
  )
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId, PendingWindowInDays }))
  return { ...key, CiphertextBlob }
}

const describeKey = (KeyId: string) => kms.send(new DescribeKeyCommand({ KeyId }))
const missing = (arn: string) => refused('NotFoundException', `Key '${arn}' does not exist`)

test('A key is deleted when its time has come, and not before', async () => {
  const { keyId, arn } = await givenScheduled()
  expect(await deleteDueKeys(inDays(6.9))).toBe(0)
  expect((await describeKey(keyId)).KeyMetadata?.KeyState).toBe('PendingDeletion')
  expect(await deleteDueKeys(inDays(7.1))).toBe(1)
  expect(await refusalOf(describeKey(keyId))).toEqual(missing(arn))
  expect(await deleteDueKeys(inDays(7.1))).toBe(0)
})

test('The audit trail tells that it was deleted', async () => {
  const { keyId, arn } = await givenScheduled()
  const { account } = stack.admin
  const [region] = stack.services.regions
  const told: unknown[] = []
  const { ledger } = stack.services
  const listening = Object.assign(Object.create(ledger) as typeof ledger, {
    append(...args: Parameters<typeof ledger.append>) {
      told.push(args)
      return ledger.append(...args)
    },
  })
  await deleteDueKeys({ ...inDays(7.1), ledger: listening })
  expect(told).toEqual([
    [
      account,
      region,
      expect.objectContaining({
        eventName: 'DeleteKey',
        eventType: 'AwsServiceEvent',
        userIdentity: { accountId: account, invokedBy: 'AWS Internal' },
        responseElements: { keyId: arn },
        resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arn }],
      }),
    ],
  ])
  expect((await refusalOf(describeKey(keyId))).name).toBe('NotFoundException')
})

test('With the key go its aliases and its place in the listing', async () => {
  const key = await givenKey(kms)
  const alias = await givenAlias(kms, key.keyId)
  const kept = await givenAlias(kms, (await givenKey(kms)).keyId)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId, PendingWindowInDays: 7 }))
  await deleteDueKeys(inDays(8))
  const { Keys } = await kms.send(new ListKeysCommand({}))
  const { Aliases } = await kms.send(new ListAliasesCommand({}))
  expect(Keys?.map(({ KeyId }) => KeyId)).not.toContain(key.keyId)
  const names = Aliases?.map(({ AliasName }) => AliasName)
  expect(names).not.toContain(alias)
  expect(names).toContain(kept)
  expect((await refusalOf(describeKey(alias))).name).toBe('NotFoundException')
})

test('What was encrypted under it opens no more', async () => {
  const { CiphertextBlob } = await givenScheduled()
  await deleteDueKeys(inDays(8))
  const { name, message } = await refusalOf(kms.send(new DecryptCommand({ CiphertextBlob })))
  expect(name).toBe('AccessDeniedException')
  expect(message).toContain('the resource does not exist in this Region')
})

test('A key whose deletion was cancelled stays', async () => {
  const { keyId } = await givenScheduled()
  await kms.send(new CancelKeyDeletionCommand({ KeyId: keyId }))
  expect(await deleteDueKeys(inDays(100))).toBe(0)
  expect((await describeKey(keyId)).KeyMetadata?.KeyState).toBe('Disabled')
})

test('A key that is cancelled while it is being deleted is either kept whole or gone', async () => {
  const keys = await Promise.all(Array.from({ length: 8 }, () => givenScheduled()))
  const cancel = ({ keyId }: { keyId: string }) =>
    kms.send(new CancelKeyDeletionCommand({ KeyId: keyId }))
  const [, ...answers] = await Promise.all([
    deleteDueKeys(inDays(8)),
    ...keys.map((key) =>
      cancel(key)
        .then(() => true)
        .catch(() => false),
    ),
  ])
  for (const [index, { keyId }] of keys.entries()) {
    const isThere = await describeKey(keyId).then(
      () => true,
      () => false,
    )
    expect(isThere).toBe(answers[index])
  }
})

test('A key that is cancelled while its aliases are being removed gets them back', async () => {
  const { keyId } = await givenKey(kms)
  const alias = await givenAlias(kms, keyId)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 7 }))
  const services = inDays(8)
  const { store } = services
  const cancelling: Services = {
    ...services,
    store: {
      ...store,
      keys: {
        ...store.keys,
        async delete(key) {
          expect((await refusalOf(describeKey(alias))).name).toBe('NotFoundException')
          await kms.send(new CancelKeyDeletionCommand({ KeyId: keyId }))
          await store.keys.delete(key)
        },
      },
    },
  }
  expect(await deleteDueKeys(cancelling)).toBe(0)
  expect((await describeKey(alias)).KeyMetadata).toMatchObject({
    KeyId: keyId,
    KeyState: 'Disabled',
  })
})

test.for([
  ['cancelled', 'Disabled'],
  ['put off', 'PendingDeletion'],
] as const)('An entry of the index deletes no key that was %s since', async ([how, state]) => {
  const { keyId } = await givenScheduled()
  const services = inDays(8)
  const [candidate] = await services.store.keys.dueForDeletion(Date.now() + 8 * DAY, 100)
  expect(candidate?.keyId).toBe(keyId)
  await kms.send(new CancelKeyDeletionCommand({ KeyId: keyId }))
  if (how === 'put off') {
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 30 }))
  }
  const keys = {
    ...services.store.keys,
    dueForDeletion: async () => (candidate ? [candidate] : []),
  }
  expect(await deleteDueKeys({ ...services, store: { ...services.store, keys } })).toBe(0)
  expect((await describeKey(keyId)).KeyMetadata?.KeyState).toBe(state)
})

test('A key that cannot be deleted does not keep others from it', async () => {
  const [first, second] = [await givenScheduled(), await givenScheduled()]
  const services = inDays(8)
  const failing: Services = {
    ...services,
    store: {
      ...services.store,
      keys: {
        ...services.store.keys,
        async delete(key) {
          if (key.keyId === first.keyId) throw new Error('The store fails.')
          await services.store.keys.delete(key)
        },
      },
    },
  }
  expect(await deleteDueKeys(failing)).toBe(1)
  expect(await refusalOf(describeKey(second.keyId))).toEqual(missing(second.arn))
  expect((await describeKey(first.keyId)).KeyMetadata?.KeyState).toBe('PendingDeletion')
  expect(await deleteDueKeys(services)).toBe(1)
})

test('The function tells how many keys it deleted', async () => {
  expect(await handler()).toEqual({ deleted: 0 })
})
