/** TagUser, UntagUser, ListUserTags, and the same of roles. */
import { sameTagKey } from '../../shared/authn/caller.ts'
import { JsonError } from '../../shared/errors.ts'
import {
  iamTagKeys,
  iamTags,
  type Kind,
  naming,
  tagsOf,
  tagViews,
} from '../../shared/pipeline/principal-members.ts'
import {
  changePrincipal,
  principalOperation,
  requirePrincipal,
} from '../../shared/pipeline/principals.ts'
import { required } from '../../shared/pipeline/shape.ts'

/** IAM quotas, "Tags on an IAM user" and role. */
const MAX_TAGS = 50

const tagging = (kind: Kind) =>
  principalOperation(kind, {
    name: `Tag${kind}`,
    input: naming(kind, { Tags: required(iamTags) }),
    async run({ Name, Tags }, call) {
      const added = tagsOf(Tags)
      await changePrincipal(kind, Name, call, (present) => {
        const kept = present.tags.filter(({ TagKey }) =>
          added.every((tag) => sameTagKey(tag.TagKey) !== sameTagKey(TagKey)),
        )
        const tags = [...kept, ...added]
        if (tags.length <= MAX_TAGS) return { ...present, tags }
        throw new JsonError(
          'LimitExceededException',
          `The number of tags has reached the maximum limit: ${MAX_TAGS}`,
        )
      })
      return {}
    },
  })

const untagging = (kind: Kind) =>
  principalOperation(kind, {
    name: `Untag${kind}`,
    input: naming(kind, { TagKeys: required(iamTagKeys) }),
    async run({ Name, TagKeys }, call) {
      const keys = new Set(TagKeys.map(sameTagKey))
      await changePrincipal(kind, Name, call, (present) => ({
        ...present,
        tags: present.tags.filter(({ TagKey }) => !keys.has(sameTagKey(TagKey))),
      }))
      return {}
    },
  })

const tagListing = (kind: Kind) =>
  principalOperation(kind, {
    name: `List${kind}Tags`,
    input: naming(kind, {}),
    readOnly: true,
    async run({ Name }, call) {
      const { tags } = await requirePrincipal(kind, Name, call)
      return { Tags: tagViews(tags), IsTruncated: false }
    },
  })

export const tagUser = tagging('User')
export const tagRole = tagging('Role')
export const untagUser = untagging('User')
export const untagRole = untagging('Role')
export const listUserTags = tagListing('User')
export const listRoleTags = tagListing('Role')
