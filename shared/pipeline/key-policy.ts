/** Accepting a key policy: its form, its principals, and that it does not lock its author out. */
import { renderPolicy } from '../authz/default-key-policy.ts'
import { staysUpdatable } from '../authz/lockout.ts'
import { parsePolicy } from '../authz/policy.ts'
import { PolicyProblem } from '../authz/policy-problem.ts'
import { JsonError } from '../errors.ts'
import { type AccountId, type KeyArn, parseAccountId, principalIdOf } from '../ids.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { contextOf } from './authorize.ts'
import type { Call } from './operation.ts'

/**
 * @param bypass - leaves the lockout check out
 * @returns the text to store, in the form in which KMS gives policies back
 * @throws JsonError MalformedPolicyDocumentException, InvalidArnException or LimitExceededException
 */
export async function acceptKeyPolicy(
  text: string,
  arn: KeyArn,
  bypass: boolean,
  call: Call,
): Promise<string> {
  const principals = parseOrRefuse(text)
  const { tenants } = call.services.store
  for (const principal of principals) {
    if (!(await principalExists(principal, call.caller.account, tenants))) throw invalidPrincipal()
  }
  if (!bypass && !staysUpdatable(call.caller, text, arn, contextOf(call, {}, null))) {
    throw new JsonError(
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    )
  }
  return renderPolicy(text)
}

function parseOrRefuse(text: string): readonly string[] {
  try {
    return parsePolicy(text, 'key').principals
  } catch (error) {
    throw error instanceof PolicyProblem ? refusal(error) : error
  }
}

const invalidPrincipal = (): JsonError =>
  new JsonError(
    'MalformedPolicyDocumentException',
    'Policy contains a statement with one or more invalid principals.',
  )

function refusal({ kind, text }: PolicyProblem): JsonError {
  switch (kind) {
    case 'not-json':
      return new JsonError('MalformedPolicyDocumentException')
    case 'too-large':
      return new JsonError('LimitExceededException', text)
    case 'no-principal':
      return new JsonError(
        'MalformedPolicyDocumentException',
        'Policy contains a statement with no principal.',
      )
    case 'invalid-principal-arn':
      return new JsonError('InvalidArnException', 'An ARN in the specified key policy is invalid.')
    case 'invalid-principal':
      return invalidPrincipal()
    case 'malformed':
      return new JsonError('MalformedPolicyDocumentException', text)
    default:
      return kind satisfies never
  }
}

/** Accounts are tenants; users are known by ARN, those of the caller's own account by stable id too. */
async function principalExists(
  principal: string,
  ownAccount: AccountId,
  tenants: TenantRepository,
): Promise<boolean> {
  if (principal.startsWith('AIDA')) {
    return (await tenants.principal(ownAccount, principalIdOf(principal))) !== null
  }
  const [, , service, , accountText = '', resource = ''] = principal.split(':')
  const account = parseAccountId(accountText)
  if (account === null || service !== 'iam') return false
  if (resource === 'root') return (await tenants.get(account)) !== null
  if (!resource.startsWith('user/')) return false
  const name = resource.slice(resource.lastIndexOf('/') + 1)
  const record = await tenants.principalByName(account, name)
  return record !== null && `user${record.path}${record.name}` === resource
}
