/** KMS keys to test with. */
import { randomUUID } from 'node:crypto'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DisableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import type { SigningTarget } from './raw-call.ts'

/** A client that does not try again. */
export const kmsClient = ({ endpoint, region, credentials }: SigningTarget): KMSClient =>
  new KMSClient({ endpoint, region, credentials, maxAttempts: 1 })

export interface GivenKey {
  readonly keyId: string
  readonly arn: string
  readonly materialId: string
}

/** A new key, enabled. */
export async function givenKey(
  kms: KMSClient,
  input: CreateKeyCommandInput = {},
): Promise<GivenKey> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand(input))
  return {
    keyId: KeyMetadata?.KeyId ?? '',
    arn: KeyMetadata?.Arn ?? '',
    materialId: KeyMetadata?.CurrentKeyMaterialId ?? '',
  }
}

export async function givenDisabledKey(kms: KMSClient): Promise<GivenKey> {
  const key = await givenKey(kms)
  await kms.send(new DisableKeyCommand({ KeyId: key.keyId }))
  return key
}

export async function givenKeyPendingDeletion(kms: KMSClient): Promise<GivenKey> {
  const key = await givenKey(kms)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
  return key
}

/** A new alias of the key. @returns its name */
export async function givenAlias(kms: KMSClient, keyId: string): Promise<string> {
  const AliasName = newAliasName()
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: keyId }))
  return AliasName
}

export const newAliasName = (): string => `alias/test/${randomUUID()}`

export const bytes = (text: string): Buffer => Buffer.from(text)
