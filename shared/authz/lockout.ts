import type { Caller } from '../authn/caller.ts'
import type { ContextSource } from './condition-context.ts'
import { decide } from './decide.ts'

/**
 * The lockout safety check: whether the caller could put another key policy in place once this one
 * is. Leaving the key to the account counts only if the caller's identity policies then allow it
 * (KMS API reference, PutKeyPolicy, "BypassPolicyLockoutSafetyCheck").
 * @param policyText - the new key policy, which `parsePolicy` has accepted
 * @param keyArn - of the key, which is the caller's account's
 * @param context - of a PutKeyPolicy request on the key
 * @throws EvaluationError as `decide`
 */
export const staysUpdatable = (
  caller: Caller,
  policyText: string,
  keyArn: string,
  context: ContextSource,
): boolean =>
  decide({
    caller,
    action: 'kms:PutKeyPolicy',
    resource: { arn: keyArn, account: caller.account },
    resourcePolicy: policyText,
    context,
    style: 'kms',
  }).allowed
