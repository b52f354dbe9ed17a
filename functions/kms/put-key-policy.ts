import { JsonError } from '../../shared/errors.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { acceptKeyPolicy } from '../../shared/pipeline/key-policy.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, policyName, policyText } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { unlessOvertaken } from '../../shared/pipeline/overtaken.ts'
import { boolean, type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  PolicyName: policyName,
  Policy: required(policyText),
  BypassPolicyLockoutSafetyCheck: boolean,
})

/** Replaces the key policy, in any state of the key. */
export const putKeyPolicy: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'PutKeyPolicy',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:PutKeyPolicy') }),
  conditions: ({ BypassPolicyLockoutSafetyCheck }) => ({
    others: {
      'kms:bypasspolicylockoutsafetycheck': String(BypassPolicyLockoutSafetyCheck === true),
    },
  }),
  check({ PolicyName = 'default' }) {
    if (PolicyName !== 'default') {
      throw new JsonError('ValidationException', 'The only valid policy name is default.')
    }
  },
  async run({ Policy, BypassPolicyLockoutSafetyCheck }, { key }, call) {
    const bypass = BypassPolicyLockoutSafetyCheck === true
    const document = await acceptKeyPolicy(Policy, key.key, bypass, call)
    await unlessOvertaken(call.services.keys.putPolicy(key, document))
  },
  audit: {
    requestParameters: (input) => ({
      keyId: input.KeyId,
      policyName: input.PolicyName,
      policy: input.Policy,
      bypassPolicyLockoutSafetyCheck: input.BypassPolicyLockoutSafetyCheck === true,
    }),
  },
}

export const handler = jsonHandler(putKeyPolicy)
