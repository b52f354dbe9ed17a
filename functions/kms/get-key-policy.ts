import { JsonError } from '../../shared/errors.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, policyName } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { shownPolicy } from '../../shared/pipeline/policy-principals.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier), PolicyName: policyName })

export interface GetKeyPolicyResponse {
  readonly Policy: string
  readonly PolicyName: string
}

/** The text of the key policy; its name is always `default`. */
export const getKeyPolicy: Operation<Input<typeof request>, GetKeyPolicyResponse, 'key'> = {
  service: 'kms',
  name: 'GetKeyPolicy',
  input: request,
  readOnly: true,
  keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:GetKeyPolicy') }),
  async run({ PolicyName = 'default' }, { key }, { services }) {
    if (PolicyName !== 'default') {
      throw new JsonError('NotFoundException', 'No such policy exists')
    }
    const { document } = key.bundle.policy
    const Policy = await shownPolicy(document, 'key', key.key.account, services.store.tenants)
    return { Policy, PolicyName }
  },
  audit: {
    requestParameters: ({ KeyId, PolicyName }) => ({ keyId: KeyId, policyName: PolicyName }),
  },
}

export const handler = jsonHandler(getKeyPolicy)
