/** Members of the operations on principals and their policies (IAM API reference). */
import { sameTagKey } from '../authn/caller.ts'
import { JsonError } from '../errors.ts'
import type { Tag } from '../store/records.ts'
import { integer, list, required, type Shape, type Structure, string, structure } from './shape.ts'

const NAME = /^[\w+=,.@-]+$/

export const principalName = string({ min: 1, max: 64, pattern: NAME, patternText: '[\\w+=,.@-]+' })
export const inlinePolicyName = string({
  min: 1,
  max: 128,
  pattern: NAME,
  patternText: '[\\w+=,.@-]+',
})
export const path = string({ min: 1, max: 512, pattern: /^\/(?:[!-~]+\/)?$/ })
export const document = string({ min: 1, max: 131_072 })
export const policyArn = string({
  min: 20,
  max: 2048,
  pattern: /^arn:aws:iam::(?:aws|\d{12}):policy\/.+$/,
})
export const description = string({ max: 1000 })
export const maxItems = integer({ min: 1, max: 1000 })
export const listMarker = string({ min: 1, max: 1024 })
const tagKey = string({ min: 1, max: 128, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]+$/u })
export const iamTags = list(
  structure({
    Key: required(tagKey),
    Value: required(string({ max: 256, pattern: /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u })),
  }),
  { max: 50 },
)
export const iamTagKeys = list(tagKey, { max: 50 })

/**
 * Tags as a request gives them; their keys differ in more than case (IAM User Guide, "Rules for
 * tagging in IAM and AWS STS").
 * @throws JsonError InvalidInputException
 */
export function tagsOf(
  tags: readonly { readonly Key: string; readonly Value: string }[] = [],
): readonly Tag[] {
  const keys = new Set(tags.map(({ Key }) => sameTagKey(Key)))
  if (keys.size < tags.length) {
    throw new JsonError(
      'InvalidInputException',
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    )
  }
  if ([...keys].some((key) => key.startsWith('aws:'))) {
    throw new JsonError('InvalidInputException', 'Tag keys that begin with aws: are reserved.')
  }
  return tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }))
}

export const tagViews = (tags: readonly Tag[]) =>
  tags.map(({ TagKey, TagValue }) => ({ Key: TagKey, Value: TagValue }))

export type Kind = 'User' | 'Role'

/**
 * A request that names a user as `UserName`, or a role as `RoleName`; both are read as `Name`.
 * @param members - the others
 */
export function naming<const M extends Parameters<typeof structure>[0]>(
  kind: Kind,
  members: M,
): Shape<Structure<M> & { readonly Name: string }> {
  const member = `${kind}Name`
  const shape = structure({ ...members, [member]: required(principalName) })
  return {
    read(value, at, faults) {
      const { [member]: Name, ...rest } = shape.read(value, at, faults) as Record<string, unknown>
      return { ...rest, Name } as Structure<M> & { readonly Name: string }
    },
  }
}
