import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, limit, marker } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Listed, listPage } from '../../shared/pipeline/paging.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import type { Tag } from '../../shared/store/records.ts'

const request = structure({ KeyId: required(keyIdentifier), Limit: limit, Marker: marker })

export interface ListResourceTagsResponse extends Listed {
  readonly Tags: readonly Tag[]
}

/** The key's tags in the order in which they were first set. */
export const listResourceTags: Operation<Input<typeof request>, ListResourceTagsResponse, 'key'> = {
  service: 'kms',
  name: 'ListResourceTags',
  input: request,
  readOnly: true,
  keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:ListResourceTags') }),
  async run(input, { key: { key } }, call) {
    const { items, ...listed } = await listPage(
      call,
      {
        operation: 'ListResourceTags',
        parameters: [key.keyId],
        page: input,
        defaultLimit: 50,
        maxLimit: 50,
      },
      async (size, after) => tagsAfter(key.tags, size, after),
    )
    return { Tags: items, ...listed }
  },
  audit: { requestParameters: ({ KeyId, Limit }) => ({ keyId: KeyId, limit: Limit }) },
}

/** @param after - the last tag key of the page before; one that is gone by now ends the listing */
function tagsAfter(tags: readonly Tag[], size: number, after: string | null) {
  const last = tags.findIndex(({ TagKey }) => TagKey === after)
  const start = after === null ? 0 : last === -1 ? tags.length : last + 1
  const items = tags.slice(start, start + size)
  return { items, next: start + size < tags.length ? (items.at(-1)?.TagKey ?? null) : null }
}

export const handler = jsonHandler(listResourceTags)
