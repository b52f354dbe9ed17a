import { changeable } from '../../shared/keys/key-states.ts'
import { withoutTags } from '../../shared/keys/tags.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { changedKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, tagKey } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, list, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier), TagKeys: required(list(tagKey)) })

/** Removes tags by name; names that the key does not have are passed over. */
export const untagResource: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'UntagResource',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({ key: changedKey(KeyId, 'kms:UntagResource') }),
  conditions: ({ TagKeys }) => ({ tagKeys: TagKeys }),
  async run({ TagKeys }, { key }, { services }) {
    await services.keys.change(key, changeable, (present) => ({
      ...present,
      tags: withoutTags(present.tags, TagKeys),
    }))
  },
  audit: { requestParameters: ({ KeyId, TagKeys }) => ({ keyId: KeyId, tagKeys: TagKeys }) },
}

export const handler = jsonHandler(untagResource)
