/** What every cryptographic operation on one key answers alike: how a key is named, its states, its usage, dry runs. */
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DisableKeyCommand,
  type KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { type GivenKey, givenAlias, givenKey } from './kms.ts'
import { callKms, jsonOf, type SigningTarget } from './raw-call.ts'

const ABSENT = '00000000-0000-0000-0000-000000000000'

export const refusedWith = (type: string, message?: string) => ({
  status: 400,
  json: message === undefined ? { __type: type } : { __type: type, message },
})

export interface KeyOperation {
  readonly target: SigningTarget
  readonly kms: KMSClient
  readonly name: string
  /** A key that it works with. */
  readonly key: GivenKey
  /** What makes such keys. */
  readonly plan: CreateKeyCommandInput
  /** All that it needs beside the key to succeed. */
  readonly input: object
  /** Whether a disabled key will do. */
  readonly takesDisabled?: true
}

/** Calls the operation. */
export const caller =
  ({ target, name, key, input }: KeyOperation) =>
  async (differs: object = {}) =>
    jsonOf(await callKms(target, name, { KeyId: key.keyId, ...input, ...differs }))

export function describeNaming(operation: KeyOperation): void {
  const { name, key, kms, target } = operation
  const call = caller(operation)
  const base = key.arn.replace(/key\/.*/, '')

  describe(`${name} finds its key`, () => {
    test('by id, ARN, alias name and alias ARN, and answers with the ARN', async () => {
      const alias = await givenAlias(kms, key.keyId)
      for (const KeyId of [key.keyId, key.arn, alias, base + alias, key.keyId.toUpperCase()]) {
        expect(await call({ KeyId })).toMatchObject({ status: 200, json: { KeyId: key.arn } })
      }
    })

    test('unless there is none, or the name is no name', async () => {
      const missing = (message: string) => refusedWith('NotFoundException', message)
      const absent = `${base}key/${ABSENT}`
      for (const [KeyId, message] of [
        [ABSENT, `Key '${absent}' does not exist`],
        [absent, `Key '${absent}' does not exist`],
        ['nonsense', "Invalid keyId 'nonsense'"],
        [key.arn.replace(target.region, 'eu-west-1'), 'Invalid arn eu-west-1'],
        ['alias/absent', `Alias ${base}alias/absent is not found.`],
      ] as const) {
        expect(await call({ KeyId })).toEqual(missing(message))
      }
    })
  })
}

export function describeStates(operation: KeyOperation): void {
  const { name, kms, plan } = operation
  const call = caller(operation)

  describe(`${name} and the state of a key:`, () => {
    test('disabled', async () => {
      const { keyId, arn } = await givenKey(kms, plan)
      await kms.send(new DisableKeyCommand({ KeyId: keyId }))
      const answer = await call({ KeyId: keyId })
      if (operation.takesDisabled) expect(answer.status).toBe(200)
      else expect(answer).toEqual(refusedWith('DisabledException', `${arn} is disabled.`))
    })

    test('pending deletion', async () => {
      const { keyId, arn } = await givenKey(kms, plan)
      await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId }))
      expect(await call({ KeyId: keyId })).toEqual(
        refusedWith('KMSInvalidStateException', `${arn} is pending deletion.`),
      )
    })

    test.skipIf(/^ML_/.test(plan.KeySpec ?? ''))('pending import', async () => {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({ ...plan, Origin: 'EXTERNAL' }))
      expect(await call({ KeyId: KeyMetadata?.KeyId })).toEqual(
        refusedWith('KMSInvalidStateException', `${KeyMetadata?.Arn} is pending import.`),
      )
    })
  })
}

/** @param usages - that the operation refuses, with a plan of a key that has it */
export function describeUsage(operation: KeyOperation, usages: readonly CreateKeyCommandInput[]) {
  const { name, kms } = operation
  const call = caller(operation)

  test.each(usages)(`${name} refuses a key of spec $KeySpec for $KeyUsage`, async (plan) => {
    const { keyId, arn } = await givenKey(kms, plan)
    const expected = refusedWith(
      'InvalidKeyUsageException',
      `${arn} key usage is ${plan.KeyUsage} which is not valid for ${name}.`,
    )
    expect(await call({ KeyId: keyId })).toEqual(expected)
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    expect(await call({ KeyId: keyId })).toEqual(expected) // whatever its state
  })
}

export function describeDryRun(operation: KeyOperation): void {
  const { name, kms, plan } = operation
  const call = caller(operation)

  test(`A dry run of ${name} says that it would succeed, or what it would fail for`, async () => {
    expect(await call({ DryRun: true })).toEqual(
      refusedWith(
        'DryRunOperationException',
        'The request would have succeeded, but the DryRun option is set.',
      ),
    )
    expect((await call({ DryRun: false })).status).toBe(200)
    const { keyId, arn } = await givenKey(kms, plan)
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    expect(await call({ KeyId: keyId, DryRun: true })).toEqual(
      refusedWith('DisabledException', `${arn} is disabled.`),
    )
  })
}

/** The sentences that `ValidationException` has for several broken constraints. */
export const violations = (...sentences: readonly string[]) =>
  refusedWith(
    'ValidationException',
    `${sentences.length} validation error${sentences.length === 1 ? '' : 's'} detected: ${sentences
      .map((sentence) => sentence.replace(' must ', ' failed to satisfy constraint: Member must '))
      .join('; ')}`,
  )
