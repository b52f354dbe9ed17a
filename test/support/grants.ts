/** Grants to test with, and who asks for them. */
import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  DecryptCommand,
  EncryptCommand,
  type GrantListEntry,
  type GrantOperation,
  type KMSClient,
  ListGrantsCommand,
} from '@aws-sdk/client-kms'
import { DeleteCommand } from '@aws-sdk/lib-dynamodb'
import type { Caller } from '../../shared/authn/caller.ts'
import { openClient } from '../../shared/store/store.ts'
import { bytes, kmsClient } from './kms.ts'
import type { User } from './tenants-stack.ts'

export interface GivenGrant {
  readonly grantId: string
  readonly token: string
}

/** A new grant: by default one that lets the grantee encrypt. */
export async function givenGrant(
  kms: KMSClient,
  KeyId: string,
  grantee: string | User,
  more: Partial<CreateGrantCommandInput> = {},
): Promise<GivenGrant> {
  const GranteePrincipal = typeof grantee === 'string' ? grantee : grantee.arn
  const Operations: GrantOperation[] = ['Encrypt']
  const answer = await kms.send(
    new CreateGrantCommand({ KeyId, GranteePrincipal, Operations, ...more }),
  )
  return { grantId: answer.GrantId ?? '', token: answer.GrantToken ?? '' }
}

export async function grantsOn(kms: KMSClient, KeyId: string): Promise<readonly GrantListEntry[]> {
  const { Grants = [] } = await kms.send(new ListGrantsCommand({ KeyId, Limit: 100 }))
  return Grants
}

/** @returns what an Encrypt of the user answers */
export const encryptAs = (
  user: User,
  KeyId: string,
  more: { EncryptionContext?: Record<string, string>; GrantTokens?: string[] } = {},
) => kmsClient(user).send(new EncryptCommand({ KeyId, Plaintext: bytes('hello'), ...more }))

export const decryptAs = (
  user: User,
  CiphertextBlob: Uint8Array | undefined,
  more: { EncryptionContext?: Record<string, string>; GrantTokens?: string[] } = {},
) => kmsClient(user).send(new DecryptCommand({ CiphertextBlob, ...more }))

/** An identity policy. */
export const allow = (Action: unknown, more: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource: '*', ...more }],
})
export const deny = (Action: unknown, more: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Action, Resource: '*', ...more }],
})

/** Removes a user and its name, as nothing in the product does yet. */
export async function removeUser(
  { account, principalId, userName }: Caller,
  tables = openClient(),
): Promise<void> {
  const remove = (pk: string, sk: string) =>
    tables.send(new DeleteCommand({ TableName: 'keyhold-tenants', Key: { pk, sk } }))
  await remove(`${account}#principal#${principalId}`, 'principal')
  await remove(`${account}#principal-name#${userName}`, 'principal-name')
  tables.close()
}
