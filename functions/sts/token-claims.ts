/**
 * What a token of an identity provider wants the session to have (IAM User Guide, "Passing session
 * tags using AssumeRoleWithWebIdentity").
 */
import { isObject } from '../../shared/authn/setting.ts'
import { QueryError } from '../../shared/errors.ts'
import { decode, stringMap } from '../../shared/pipeline/shape.ts'
import { givenTags, type SessionTags } from './session-tags.ts'
import { sourceIdentity, tagKeyList, tagList } from './sts-members.ts'

const TAGS = 'https://aws.amazon.com/tags'
const SOURCE_IDENTITY = 'https://aws.amazon.com/source_identity'

/** @throws QueryError IDPRejectedClaim when they have not the form that such claims have */
export function claimedSession(
  claims: Readonly<Record<string, unknown>>,
): SessionTags & { readonly sourceIdentity: string | null } {
  const identity = claims[SOURCE_IDENTITY]
  return {
    ...orRejected(TAGS, () => claimedTags(claims[TAGS])),
    sourceIdentity: orRejected(SOURCE_IDENTITY, () =>
      identity === undefined ? null : decode(sourceIdentity, identity),
    ),
  }
}

function claimedTags(claim: unknown = {}): SessionTags {
  if (!isObject(claim)) throw new TypeError('No tags.')
  const { principal_tags: named = {}, transitive_tag_keys: keys = [] } = claim
  if (!isObject(named)) throw new TypeError('No tags.')
  const single = Object.entries(named).map(([key, values]) => [key, [values].flat()[0]])
  const tags = Object.entries(decode(stringMap, Object.fromEntries(single)))
  return givenTags({
    Tags: decode(
      tagList,
      tags.map(([Key, Value]) => ({ Key, Value })),
    ),
    TransitiveTagKeys: decode(tagKeyList, keys),
  })
}

function orRejected<Value>(claim: string, read: () => Value): Value {
  try {
    return read()
  } catch (cause) {
    const text = `The claim ${claim} of the token is not acceptable.`
    throw new QueryError('IDPRejectedClaim', 403, text, { cause })
  }
}
