/** Managed policies: those of a tenant's own, and the few of AWS's that every tenant has. */
import { JsonError } from '../errors.ts'
import { type AccountId, PARTITION } from '../ids.ts'
import type { ManagedPolicyRecord, PolicyDocument } from '../store/records.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { ADMINISTRATOR_ACCESS } from './setup.ts'

const AWS_PREFIX = `arn:${PARTITION}:iam::aws:policy/`

/** `arn:aws:iam::111122223333:policy/team/Ledger` */
export const managedPolicyArn = ({
  account,
  path,
  name,
}: Pick<ManagedPolicyRecord, 'account' | 'path' | 'name'>): string =>
  `arn:${PARTITION}:iam::${account}:policy${path}${name}`

/** Source: AWS managed policies reference. */
const AWS_POLICIES: ReadonlyMap<string, PolicyDocument> = new Map([
  [`${AWS_PREFIX}AdministratorAccess`, ADMINISTRATOR_ACCESS],
])

/**
 * The policy that an ARN names, as it is in force.
 * @returns `null` when the account has no such policy
 * @throws StoreUnavailable
 */
export async function policyInForce(
  arn: string,
  account: AccountId,
  tenants: Pick<TenantRepository, 'managedPolicy'>,
): Promise<PolicyDocument | null> {
  const known = AWS_POLICIES.get(arn)
  if (known !== undefined) return known
  const policy = await ownPolicy(arn, account, tenants)
  const version = policy?.versions.find(({ versionId }) => versionId === policy.defaultVersionId)
  return policy === null || version === undefined
    ? null
    : { name: policy.name, document: version.document }
}

/** @returns the account's own policy of that ARN; `null` when it has none */
export async function ownPolicy(
  arn: string,
  account: AccountId,
  tenants: Pick<TenantRepository, 'managedPolicy'>,
): Promise<ManagedPolicyRecord | null> {
  if (!arn.startsWith(`arn:${PARTITION}:iam::${account}:policy/`)) return null
  const policy = await tenants.managedPolicy(account, arn.slice(arn.lastIndexOf('/') + 1))
  return policy !== null && managedPolicyArn(policy) === arn ? policy : null
}

/** @throws JsonError NoSuchEntityException, in IAM's words */
export const noSuchPolicy = (arn: string): JsonError =>
  new JsonError('NoSuchEntityException', `Policy ${arn} does not exist or is not attachable.`)
