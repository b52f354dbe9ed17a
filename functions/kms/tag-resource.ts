import { changeable } from '../../shared/keys/key-states.ts'
import { requireOwnTags, withTags } from '../../shared/keys/tags.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { changedKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, tags } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier), Tags: required(tags) })

/** Sets tags; one of the same name gets the new value in its old place. */
export const tagResource: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'TagResource',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({ key: changedKey(KeyId, 'kms:TagResource') }),
  conditions: ({ Tags }) => ({ requestTags: Tags }),
  async run({ Tags }, { key }, { services }) {
    requireOwnTags(Tags)
    await services.keys.change(key, changeable, (present) => ({
      ...present,
      tags: withTags(present.tags, Tags),
    }))
  },
  audit: {
    requestParameters: ({ KeyId, Tags }) => ({
      keyId: KeyId,
      tags: Tags.map(({ TagKey, TagValue }) => ({ tagKey: TagKey, tagValue: TagValue })),
    }),
  },
}

export const handler = jsonHandler(tagResource)
