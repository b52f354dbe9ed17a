/** Tags of a session: those that are given, and those that the session that asks hands on. */
import { type Session, sameTagKey } from '../../shared/authn/caller.ts'
import { QueryError } from '../../shared/errors.ts'
import type { Tag } from '../../shared/store/records.ts'

export interface SessionTags {
  readonly tags: readonly Tag[]
  readonly transitiveTagKeys: readonly string[]
}

interface GivenTags {
  readonly Tags?: readonly { readonly Key: string; readonly Value: string }[]
  readonly TransitiveTagKeys?: readonly string[]
}

/**
 * Tags as a request gives them (IAM User Guide, "Passing session tags in AWS STS").
 * @throws QueryError InvalidParameterValue
 */
export function givenTags({ Tags = [], TransitiveTagKeys = [] }: GivenTags): SessionTags {
  const keys = new Set(Tags.map(({ Key }) => sameTagKey(Key)))
  if (keys.size < Tags.length) {
    throw invalid('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
  }
  if ([...keys].some((key) => key.startsWith('aws:'))) {
    throw invalid('Tag keys that begin with aws: are reserved.')
  }
  if (TransitiveTagKeys.some((key) => !keys.has(sameTagKey(key)))) {
    throw invalid('The specified transitive tag key must be included in the requested tags.')
  }
  const tags = Tags.map(({ Key, Value }) => ({ TagKey: Key, TagValue: Value }))
  return { tags, transitiveTagKeys: TransitiveTagKeys }
}

/**
 * What the new session has: transitive tags stay what they are, through all sessions that follow.
 * @throws QueryError InvalidParameterValue
 */
export function withTransitive(given: SessionTags, session: Session | null): SessionTags {
  const inherited = session?.transitiveTags ?? []
  const keys = new Set(inherited.map(({ TagKey }) => sameTagKey(TagKey)))
  if (given.tags.some(({ TagKey }) => keys.has(sameTagKey(TagKey)))) {
    throw invalid(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )
  }
  return {
    tags: [...inherited, ...given.tags],
    transitiveTagKeys: [...inherited.map(({ TagKey }) => TagKey), ...given.transitiveTagKeys],
  }
}

const invalid = (text: string): QueryError => new QueryError('InvalidParameterValue', 400, text)
