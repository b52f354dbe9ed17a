/** What the operations on key pairs, and their tests, have in common. */
import { createPublicKey, type KeyObject } from 'node:crypto'
import {
  type CreateKeyCommandInput,
  GetPublicKeyCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import {
  describeDryRun,
  describeNaming,
  describeStates,
  describeUsage,
  type KeyOperation,
} from './key-operation.ts'
import { refused } from './refusal.ts'

export const dryRunSucceeded = refused(
  'DryRunOperationException',
  'The request would have succeeded, but the DryRun option is set.',
)

/** @param others - what makes keys of other usages */
export function describeKeyUse(
  operation: KeyOperation,
  others: readonly CreateKeyCommandInput[],
): void {
  describeNaming(operation)
  describeStates(operation)
  describeUsage(operation, others)
  describeDryRun(operation)
}

/** The public half of a key, as the service gives it. */
export async function publicKeyOf(
  kms: KMSClient,
  KeyId: string,
): Promise<{ readonly spki: Buffer; readonly key: KeyObject }> {
  const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }))
  const spki = Buffer.from(PublicKey ?? [])
  return { spki, key: createPublicKey({ key: spki, format: 'der', type: 'spki' }) }
}
