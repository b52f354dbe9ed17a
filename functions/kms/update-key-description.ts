import { changeable } from '../../shared/keys/key-states.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { changedKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, string, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  Description: required(string({ max: 8192 })),
})

/** Replaces the description of a key; an empty one removes it. */
export const updateKeyDescription: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'UpdateKeyDescription',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({ key: changedKey(KeyId, 'kms:UpdateKeyDescription') }),
  async run({ Description }, { key }, { services }) {
    await services.keys.change(key, changeable, (present) =>
      present.description === Description ? null : { ...present, description: Description },
    )
  },
  audit: {
    requestParameters: ({ KeyId, Description }) => ({ keyId: KeyId, description: Description }),
  },
}

export const handler = jsonHandler(updateKeyDescription)
