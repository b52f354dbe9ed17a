/** What every operation that uses a key for one usage has in common. */
import { createPublicKey } from 'node:crypto'
import {
  type CreateKeyCommandInput,
  DisableKeyCommand,
  GetPublicKeyCommand,
  type KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { type GivenKey, givenAlias, givenKey } from './kms.ts'
import { refusalOf, refused } from './refusal.ts'

export interface KeyUseSuite {
  readonly kms: KMSClient
  readonly account: string
  readonly operation: string
  /** A key that the operation works with. */
  readonly key: GivenKey
  /** How one more of them is made. */
  readonly made: CreateKeyCommandInput
  /** A call that succeeds with the suite's key; what it is given replaces members of it. */
  call(input: object): Promise<object>
}

export const dryRunSucceeded = refused(
  'DryRunOperationException',
  'The request would have succeeded, but the DryRun option is set.',
)

export function keyUseSuite({ kms, account, operation, key, made, call }: KeyUseSuite): void {
  const attempt = (input: object) => refusalOf(call(input))

  test(`${operation} takes every name of a key, and answers with the key ARN`, async () => {
    const alias = await givenAlias(kms, key.keyId)
    for (const KeyId of [key.keyId, key.arn, alias, key.arn.replace(/key\/.*/, alias)]) {
      expect(await call({ KeyId })).toMatchObject({ KeyId: key.arn })
    }
  })

  test(`${operation} refuses keys that do not exist, and names that are none`, async () => {
    const absent = '00000000-0000-0000-0000-000000000000'
    const arn = `arn:aws:kms:us-east-1:${account}`
    expect(await attempt({ KeyId: absent })).toEqual(
      refused('NotFoundException', `Key '${arn}:key/${absent}' does not exist`),
    )
    expect(await attempt({ KeyId: 'alias/absent' })).toEqual(
      refused('NotFoundException', `Alias ${arn}:alias/absent is not found.`),
    )
    expect(await attempt({ KeyId: 'none' })).toEqual(
      refused('NotFoundException', "Invalid keyId 'none'"),
    )
    expect(await attempt({ KeyId: key.arn.replace('us-east-1', 'eu-west-1') })).toEqual(
      refused('NotFoundException', 'Invalid arn eu-west-1'),
    )
  })

  test(`${operation} refuses keys that are disabled or pending deletion, in a dry run too`, async () => {
    const { keyId: KeyId, arn } = await givenKey(kms, made)
    await kms.send(new DisableKeyCommand({ KeyId }))
    const disabled = refused('DisabledException', `${arn} is disabled.`)
    expect(await attempt({ KeyId })).toEqual(disabled)
    expect(await attempt({ KeyId, DryRun: true })).toEqual(disabled)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId }))
    expect(await attempt({ KeyId })).toEqual(
      refused('KMSInvalidStateException', `${arn} is pending deletion.`),
    )
  })

  test(`${operation} refuses keys that are made for something else, whatever their state`, async () => {
    const { keyId: KeyId, arn } = await givenKey(kms, {
      KeySpec: 'HMAC_256',
      KeyUsage: 'GENERATE_VERIFY_MAC',
    })
    const misused = refused(
      'InvalidKeyUsageException',
      `${arn} key usage is GENERATE_VERIFY_MAC which is not valid for ${operation}.`,
    )
    expect(await attempt({ KeyId })).toEqual(misused)
    await kms.send(new DisableKeyCommand({ KeyId }))
    expect(await attempt({ KeyId })).toEqual(misused)
  })

  test(`${operation} refuses what is no grant token`, async () => {
    expect((await attempt({ GrantTokens: ['token'] })).name).toBe('InvalidGrantTokenException')
  })

  test(`A dry run of ${operation} says that it would succeed`, async () => {
    expect(await attempt({ DryRun: true })).toEqual(dryRunSucceeded)
    expect(await call({ DryRun: false })).toMatchObject({ KeyId: key.arn })
  })
}

/** The public half of a key, as the service gives it. */
export async function publicKeyOf(kms: KMSClient, { keyId }: GivenKey) {
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: keyId }))
  const spki = Buffer.from(PublicKey ?? [])
  return { spki, key: createPublicKey({ key: spki, format: 'der', type: 'spki' }) }
}

/** A pending-import key of the kind. */
export const givenKeyPendingImport = (
  kms: KMSClient,
  made: CreateKeyCommandInput,
): Promise<GivenKey> => givenKey(kms, { ...made, Origin: 'EXTERNAL' })
