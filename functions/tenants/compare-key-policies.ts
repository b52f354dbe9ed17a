import { accessOf, namedOutside } from '../../shared/pipeline/access-list.ts'
import { keyAction } from '../../shared/pipeline/access-members.ts'
import { subjectsOf } from '../../shared/pipeline/access-subject.ts'
import { mayUpdateAgain, requireKeyPolicy } from '../../shared/pipeline/key-policy.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, policyText } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, list, required, structure } from '../../shared/pipeline/shape.ts'
import { type Access, accessName } from './access-view.ts'

/** What is compared when nothing else is said: what puts data at stake, and what gives it away. */
const ACTIONS: readonly string[] = [
  'CancelKeyDeletion',
  'CreateGrant',
  'Decrypt',
  'DescribeKey',
  'DisableKey',
  'EnableKey',
  'Encrypt',
  'GenerateDataKey',
  'GenerateMac',
  'GetKeyPolicy',
  'GetPublicKey',
  'ListGrants',
  'PutKeyPolicy',
  'ReEncryptFrom',
  'ReEncryptTo',
  'RevokeGrant',
  'ScheduleKeyDeletion',
  'Sign',
  'TagResource',
  'UntagResource',
  'Verify',
  'VerifyMac',
].map((name) => `kms:${name}`)

const request = structure({
  KeyId: required(keyIdentifier),
  Policy: required(policyText),
  Actions: list(keyAction, { min: 1, max: 100 }),
})
type CompareKeyPoliciesRequest = Input<typeof request>

export interface CompareKeyPoliciesResponse {
  readonly KeyId: string
  /** Who could do what otherwise than now, by principal. */
  readonly Changes: readonly {
    readonly PrincipalArn: string
    readonly Action: string
    readonly Before: Access
    readonly After: Access
  }[]
  /** Whom of other accounts the new policy names and the present one does not, and the other way round. */
  readonly OutsideAdded: readonly string[]
  readonly OutsideRemoved: readonly string[]
  /** Whether PutKeyPolicy would refuse the policy, because its caller could not change it again. */
  readonly LocksOut: boolean
}

/** What a key policy would change, before it is put in place. For whoever may read the present one. */
export const compareKeyPolicies: Operation<
  CompareKeyPoliciesRequest,
  CompareKeyPoliciesResponse,
  'key'
> = {
  service: 'keyhold',
  name: 'CompareKeyPolicies',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'keyhold:ExplainAccess', resource: null }],
  keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:GetKeyPolicy') }),
  async run({ Policy, Actions = ACTIONS }, { key }, call) {
    const { account } = call.caller
    await requireKeyPolicy(Policy, call)
    const Changes = []
    for await (const caller of subjectsOf(account, call)) {
      for (const Action of Actions) {
        const Before = accessName((await accessOf(caller, Action, key, null, call)).possibility)
        const After = accessName((await accessOf(caller, Action, key, Policy, call)).possibility)
        if (Before !== After)
          Changes.push({ PrincipalArn: caller.principalArn, Action, Before, After })
      }
    }
    const present = namedOutside(key.bundle.policy.document, account)
    const proposed = namedOutside(Policy, account)
    return {
      KeyId: key.arn,
      Changes,
      OutsideAdded: proposed.filter((principal) => !present.includes(principal)),
      OutsideRemoved: present.filter((principal) => !proposed.includes(principal)),
      LocksOut: !mayUpdateAgain(Policy, key.key, call),
    }
  },
  audit: {
    requestParameters: ({ KeyId }, { key }) => ({ keyId: key?.arn ?? KeyId }),
  },
}
