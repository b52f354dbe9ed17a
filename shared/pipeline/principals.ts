/** Users and roles of the caller's account, as the operations on them find and change them. */
import { parsePolicy } from '../authz/policy.ts'
import { type PolicyLimit, policyLimits, policySize } from '../authz/policy-kinds.ts'
import { PolicyProblem } from '../authz/policy-problem.ts'
import { JsonError } from '../errors.ts'
import { PARTITION } from '../ids.ts'
import type { PrincipalRecord, RoleRecord, UserRecord } from '../store/records.ts'
import { ConditionFailed } from '../store/repositories.ts'
import { noSuchPolicy } from '../tenants/managed-policies.ts'
import { principalArn } from '../tenants/principal.ts'
import type { Call, Operation, Permission, RequestConditions } from './operation.ts'
import type { Kind } from './principal-members.ts'
import type { Shape } from './shape.ts'

const ATTEMPTS = 5

export type RecordOf<K extends Kind> = K extends 'User' ? UserRecord : RoleRecord

/** @returns the user or role of that name; `null` when the caller's account has none */
export async function findPrincipal<K extends Kind>(
  kind: K,
  name: string,
  { caller, services }: Call,
): Promise<RecordOf<K> | null> {
  const { tenants } = services.store
  const found =
    kind === 'User'
      ? await tenants.principalByName(caller.account, name)
      : await tenants.roleByName(caller.account, name)
  return found?.kind === kind ? (found as RecordOf<K>) : null
}

/** @throws JsonError NoSuchEntityException */
export async function requirePrincipal<K extends Kind>(
  kind: K,
  name: string,
  call: Call,
): Promise<RecordOf<K>> {
  const found = await findPrincipal(kind, name, call)
  if (found !== null) return found
  throw new JsonError(
    'NoSuchEntityException',
    `The ${kind.toLowerCase()} with name ${name} cannot be found.`,
  )
}

/**
 * @param next - the principal as it is to be; may throw
 * @throws JsonError NoSuchEntityException, and ConflictException when too many change it at once
 */
export async function changePrincipal<K extends Kind>(
  kind: K,
  name: string,
  call: Call,
  next: (present: RecordOf<K>) => RecordOf<K>,
): Promise<RecordOf<K>> {
  const { store, accessKeys } = call.services
  for (let attempt = 1; ; attempt++) {
    const present = await requirePrincipal(kind, name, call)
    const changed = { ...next(present), rev: present.rev + 1 }
    try {
      await store.tenants.updatePrincipal(changed, present.rev)
      accessKeys.forgetPrincipal(present.account, present.principalId)
      return changed
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
      if (attempt === ATTEMPTS) {
        throw new JsonError('ConflictException', `${name} was changed by others meanwhile.`)
      }
    }
  }
}

/** What conditions of policies can ask about a principal that is there. */
function principalFacts({
  boundary,
  tags,
}: PrincipalRecord): NonNullable<Permission['conditions']> {
  const tagFacts = tags.flatMap(({ TagKey, TagValue }) => [
    [`aws:ResourceTag/${TagKey}`, TagValue],
    [`iam:ResourceTag/${TagKey}`, TagValue],
  ])
  return { ...Object.fromEntries(tagFacts), 'iam:permissionsboundary': boundary ?? undefined }
}

/**
 * What conditions can ask about a request (Service Authorization Reference, "Condition keys for AWS
 * Identity and Access Management"). A boundary that it sets counts in the place of the present one.
 */
export function principalConditions(input: object): RequestConditions {
  const { Tags, TagKeys, PolicyArn, PermissionsBoundary } = input as ConditionMembers
  return {
    ...(Tags === undefined
      ? {}
      : { requestTags: Tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value })) }),
    ...(TagKeys === undefined ? {} : { tagKeys: TagKeys }),
    others: { 'iam:policyarn': PolicyArn, 'iam:permissionsboundary': PermissionsBoundary },
  }
}

interface ConditionMembers {
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[]
  readonly TagKeys?: readonly string[]
  readonly PolicyArn?: string
  readonly PermissionsBoundary?: string
}

/** The permission that an operation on a principal needs; of one that is not there, as if it were at `/`. */
export async function principalPermission(
  action: string,
  kind: Kind,
  name: string,
  call: Call,
  input: object = {},
): Promise<readonly Permission[]> {
  const found = await findPrincipal(kind, name, call)
  const { account } = call.caller
  const resource = principalArn(found ?? { account, kind, path: '/', name })
  const conditions = found === null ? {} : principalFacts(found)
  const asked = principalConditions(input).others?.['iam:permissionsboundary']
  return [
    {
      action,
      resource,
      conditions:
        asked === undefined ? conditions : { ...conditions, 'iam:permissionsboundary': asked },
    },
  ]
}

/**
 * An operation on one user, or one role: what all of them have in common.
 * @param parts.run - gets the name of whom it is about
 */
export const principalOperation = <K extends Kind, Input extends { readonly Name: string }, Output>(
  kind: K,
  parts: {
    readonly name: string
    readonly input: Shape<Input>
    readonly readOnly?: true
    run(input: Input, call: Call): Promise<Output>
  },
): Operation<Input, Output> => ({
  service: 'iam',
  name: parts.name,
  input: parts.input,
  readOnly: parts.readOnly ?? false,
  permissions: (input, call) =>
    principalPermission(`iam:${parts.name}`, kind, input.Name, call, input),
  conditions: principalConditions,
  run: (input, _keys, call) => parts.run(input, call),
  audit: {
    requestParameters: ({ Name, ...rest }) => ({
      [`${kind.toLowerCase()}Name`]: Name,
      ...Object.fromEntries(
        Object.entries(rest).map(([name, value]) => [
          name.charAt(0).toLowerCase() + name.slice(1),
          value,
        ]),
      ),
    }),
  },
})

/** @throws JsonError MalformedPolicyDocumentException, LimitExceededException */
export function requirePolicyDocument(
  text: string,
  kind: 'identity' | 'trust',
  limit?: PolicyLimit,
): void {
  try {
    parsePolicy(text, kind, limit === undefined ? {} : { limit })
  } catch (error) {
    if (!(error instanceof PolicyProblem)) throw error
    if (error.kind !== 'too-large') {
      throw new JsonError('MalformedPolicyDocumentException', error.text)
    }
    const quota =
      kind === 'trust'
        ? `ACLSizePerRole: ${policyLimits.trust.size}`
        : `PolicySize: ${policyLimits.managed.size}`
    throw new JsonError('LimitExceededException', `Cannot exceed quota for ${quota}`)
  }
}

/** How large all inline policies of a principal may be together. */
export const inlineLimits: Readonly<Record<Kind, PolicyLimit>> = {
  User: policyLimits.userInline,
  Role: policyLimits.roleInline,
}

/** IAM counts all inline policies of a principal together. @throws JsonError LimitExceededException */
export function requireInlineRoom({ kind, name, policies }: PrincipalRecord): void {
  const limit = inlineLimits[kind]
  const size = policies.reduce((sum, policy) => sum + policySize(policy.document, limit.counted), 0)
  if (size <= limit.size) return
  throw new JsonError(
    'LimitExceededException',
    `Maximum policy size of ${limit.size} bytes exceeded for ${kind.toLowerCase()} ${name}`,
  )
}

/** @throws JsonError NoSuchEntityException when the account has no such managed policy */
export async function requireManagedPolicy(arn: string, { caller, services }: Call): Promise<void> {
  services.accessKeys.forgetPolicy(caller.account, arn)
  if ((await services.accessKeys.policy(caller.account, arn)) === null) throw noSuchPolicy(arn)
}

/** The refusal for a managed policy that the account does not have, in IAM's words. */
export const noSuchPolicyFound = (arn: string): JsonError =>
  new JsonError('NoSuchEntityException', `Policy ${arn} was not found.`)

/** `arn:aws:iam::111122223333:user/*` */
export const allOf = (kind: Kind, { caller }: Call): string =>
  `arn:${PARTITION}:iam::${caller.account}:${kind.toLowerCase()}/*`
