import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, limit, marker } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Listed, listPage } from '../../shared/pipeline/paging.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import type { Page, Tag } from '../../shared/store/records.ts'

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

/**
 * @param after - index and name of the last tag of the page before; where it stood is where the
 *   listing goes on when it was removed in the meantime
 */
function tagsAfter(tags: readonly Tag[], size: number, after: string | null): Page<Tag> {
  const start = after === null ? 0 : startAfter(tags, after)
  const end = start + size
  const last = tags[end - 1]
  return {
    items: tags.slice(start, end),
    next: end < tags.length && last !== undefined ? `${end - 1} ${last.TagKey}` : null,
  }
}

function startAfter(tags: readonly Tag[], after: string): number {
  const [index = ''] = after.split(' ', 1)
  const name = after.slice(index.length + 1)
  const found = tags.findIndex(({ TagKey }) => TagKey === name)
  return found === -1 ? Number(index) : found + 1
}

export const handler = jsonHandler(listResourceTags)
