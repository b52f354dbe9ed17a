import { JsonError } from '../../shared/errors.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, limit, marker } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import type { Listed } from '../../shared/pipeline/paging.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier), Limit: limit, Marker: marker })

export interface ListKeyPoliciesResponse extends Listed {
  readonly PolicyNames: readonly ['default']
}

/** The names of the key's policies: always `default`, all on one page. */
export const listKeyPolicies: Operation<Input<typeof request>, ListKeyPoliciesResponse, 'key'> = {
  service: 'kms',
  name: 'ListKeyPolicies',
  input: request,
  readOnly: true,
  keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:ListKeyPolicies') }),
  run({ Marker }) {
    // There is never a second page, and the service model has no InvalidMarkerException here.
    if (Marker !== undefined) {
      throw new JsonError('ValidationException', 'The marker is not one of this listing.')
    }
    return { PolicyNames: ['default'], Truncated: false }
  },
  audit: { requestParameters: ({ KeyId, Limit }) => ({ keyId: KeyId, limit: Limit }) },
}

export const handler = jsonHandler(listKeyPolicies)
