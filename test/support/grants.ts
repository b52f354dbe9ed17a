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
import { blockLines } from '../../shared/audit/chain.ts'
import type { AuditRecord } from '../../shared/audit/record.ts'
import type { Caller } from '../../shared/authn/caller.ts'
import type { Region } from '../../shared/ids.ts'
import { openClient } from '../../shared/store/store.ts'
import { bytes, kmsClient } from './kms.ts'
import { callKms } from './raw-call.ts'
import type { TenantsStack, User } from './tenants-stack.ts'

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
export async function removeUser(caller: Caller, tables = openClient()): Promise<void> {
  const { account, principalId } = caller
  const userName = caller.kind === 'User' ? caller.userName : ''
  const remove = (pk: string, sk: string) =>
    tables.send(new DeleteCommand({ TableName: 'keyhold-tenants', Key: { pk, sk } }))
  await remove(`${account}#principal#${principalId}`, 'principal')
  await remove(`${account}#principal-name#${userName}`, 'principal-name')
  tables.close()
}

/** Calls as the user, and gives the answer with the one record that the call has left. */
export async function recorded(
  { services }: TenantsStack,
  user: User,
  operation: string,
  input: object,
): Promise<{ readonly record: AuditRecord; readonly answer: Record<string, string> | null }> {
  const { headers, body } = await callKms(user, operation, input)
  const region = services.regions[0] as Region
  const blocks = await Promise.all(
    (await services.store.ledger.days(user.account, region)).map((day) =>
      services.store.ledger.blocks(user.account, region, day, {
        newestFirst: true,
        limit: 10,
        after: null,
      }),
    ),
  )
  const records = blocks.flatMap(({ items }) =>
    items.flatMap((block) => blockLines(block).map((line) => JSON.parse(line) as AuditRecord)),
  )
  const found = records.filter(({ requestID }) => requestID === headers['x-amzn-requestid'])
  if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} records.`)
  return { record: found[0], answer: body === '' ? null : JSON.parse(body) }
}
