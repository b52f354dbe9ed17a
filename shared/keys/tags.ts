/** Tags of a key (AWS KMS Developer Guide, "Tags in AWS KMS"): 50 at most, in the order of first use. */
import { JsonError } from '../errors.ts'
import type { Tag } from '../store/records.ts'

const MAX_TAGS_PER_KEY = 50
const ALLOWED = /^[\p{L}\p{N}\p{Zs}_./=+\-:@]*$/u

/** @throws JsonError TagException for names and values that cannot be, or that come twice */
export function requireOwnTags(tags: readonly Tag[]): void {
  for (const { TagKey, TagValue } of tags) {
    if (!ALLOWED.test(TagKey) || !ALLOWED.test(TagValue)) {
      throw new JsonError(
        'TagException',
        'Tags may contain letters, digits, spaces and the characters _ . / = + - : @ only.',
      )
    }
    if (TagKey.toLowerCase().startsWith('aws:')) {
      throw new JsonError('TagException', 'Tags beginning with aws: are reserved')
    }
  }
  if (new Set(tags.map(({ TagKey }) => TagKey)).size < tags.length) {
    throw new JsonError('TagException', 'Duplicate tag keys')
  }
}

/**
 * @returns the tags with the given ones written over those of the same name, new ones at the end
 * @throws JsonError TagException when they would be more than 50
 */
export function withTags(present: readonly Tag[], given: readonly Tag[]): readonly Tag[] {
  const merged = new Map(present.map((tag) => [tag.TagKey, tag]))
  for (const tag of given) merged.set(tag.TagKey, tag)
  if (merged.size > MAX_TAGS_PER_KEY) throw new JsonError('TagException', 'Too many tags')
  return [...merged.values()]
}

/** Names that no tag has are no error. */
export function withoutTags(present: readonly Tag[], names: readonly string[]): readonly Tag[] {
  const gone = new Set(names)
  return present.filter(({ TagKey }) => !gone.has(TagKey))
}
