/** Roles, and sessions of them, over AWS's own client for STS. */
import { S3Client } from '@aws-sdk/client-s3'
import { AssumeRoleCommand, type AssumeRoleCommandInput, STSClient } from '@aws-sdk/client-sts'
import type { AccountId } from '../../shared/ids.ts'
import { principalIdOf } from '../../shared/ids.ts'
import type { RoleRecord } from '../../shared/store/records.ts'
import { newPrincipalId } from '../../shared/tenants/access-key-id.ts'
import { principalArn } from '../../shared/tenants/principal.ts'
import type { SigningTarget } from './raw-call.ts'
import type { TenantsStack, User } from './tenants-stack.ts'

export interface GivenRole {
  readonly arn: string
  readonly record: RoleRecord
}

export interface SessionUser extends User {
  readonly credentials: SigningTarget['credentials'] & { readonly sessionToken: string }
}

/** A statement that lets somebody assume a role. */
export const trusting = (
  principal: object | string,
  action: string | readonly string[] = 'sts:AssumeRole',
  condition?: object,
) => ({
  Effect: 'Allow',
  Principal: typeof principal === 'string' ? { AWS: principal } : principal,
  Action: action,
  ...(condition === undefined ? {} : { Condition: condition }),
})

export const allowing = (Action: string | readonly string[], Resource = '*') => ({
  Effect: 'Allow',
  Action,
  Resource,
})

export const policyOf = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })

/** Makes a role. @param trust - statements of its trust policy */
export async function givenRole(
  { services }: TenantsStack,
  account: AccountId,
  name: string,
  trust: readonly object[],
  statements: readonly object[] = [],
  differs: Partial<RoleRecord> = {},
): Promise<GivenRole> {
  const record: RoleRecord = {
    kind: 'Role',
    account,
    principalId: principalIdOf(newPrincipalId().replace('AIDA', 'AROA')),
    name,
    path: '/',
    policies: statements.length === 0 ? [] : [{ name: 'p', document: policyOf(...statements) }],
    attached: [],
    boundary: null,
    tags: [],
    sessionsValidFrom: 0,
    createdAt: Date.now(),
    rev: 1,
    description: '',
    trustPolicy: policyOf(...trust),
    maxSessionSeconds: 3600,
    ...differs,
  }
  await services.store.tenants.createPrincipal(record)
  return { arn: principalArn(record), record }
}

export const stsOf = ({ endpoint, region, credentials }: SigningTarget): STSClient =>
  new STSClient({ endpoint, region, credentials, maxAttempts: 1 })

export const s3Of = ({ endpoint, region, credentials }: SigningTarget): S3Client =>
  new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 })

/** A session of a role, as somebody has it who assumes it. */
export async function assumed(
  by: SigningTarget,
  RoleArn: string,
  differs: Partial<AssumeRoleCommandInput> = {},
): Promise<SessionUser> {
  const command = new AssumeRoleCommand({ RoleArn, RoleSessionName: 'alice', ...differs })
  const { Credentials, AssumedRoleUser } = await stsOf(by).send(command)
  return {
    endpoint: by.endpoint,
    region: by.region,
    account: RoleArn.split(':')[4] as AccountId,
    arn: AssumedRoleUser?.Arn ?? '',
    credentials: {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    },
  }
}
