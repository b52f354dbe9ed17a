/**
 * Tags of objects and of buckets (Amazon S3 User Guide, "Categorizing your objects using tags"): what
 * a write brings in its header, and the XML of both.
 */
import { percentDecode } from '../authn/percent-encoding.ts'
import { S3Error } from '../blobs/s3-error.ts'
import type { S3Request } from './s3-request.ts'
import type { XmlElements } from './s3-xml.ts'
import { childrenOf, malformedXml, textOf, type XmlNode } from './s3-xml-reader.ts'

export type Tags = Readonly<Record<string, string>>

export const MAX_OBJECT_TAGS = 10
export const MAX_BUCKET_TAGS = 50
const MAX_KEY_LENGTH = 128
const MAX_VALUE_LENGTH = 256
const ALLOWED = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u
export const TAGGING = 'x-amz-tagging'

/**
 * @returns the tags that a write brings: `a=1&b=2`, percent-encoded
 * @throws S3Error InvalidArgument, InvalidTag, BadRequest
 */
export function readTaggingHeader({ header }: Pick<S3Request, 'header'>): Tags {
  const text = header(TAGGING)
  if (text === undefined || text === '') return {}
  const pairs = text
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => decodePair(pair, text))
  return requireTags(pairs, MAX_OBJECT_TAGS)
}

/** Bringing tags with a write takes the right to tag. */
export const taggingPermissions = (request: S3Request) =>
  request.header(TAGGING) ? [{ action: 's3:PutObjectTagging', resource: request.objectArn }] : []

/** @throws S3Error MalformedXML, InvalidTag, BadRequest */
export function readTagging(document: XmlNode, limit: number): Tags {
  const [set, ...more] = childrenOf(document, 'TagSet')
  if (set === undefined || more.length > 0) throw malformedXml()
  const pairs = childrenOf(set, 'Tag').map((tag) => {
    const [key, value] = [textOf(tag, 'Key'), textOf(tag, 'Value')]
    if (key === undefined || value === undefined) throw malformedXml()
    return [key, value] as const
  })
  return requireTags(pairs, limit)
}

/** @returns what both Get operations answer with */
export const taggingElements = (tags: Tags): XmlElements => ({
  TagSet: { Tag: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) },
})

function decodePair(pair: string, whole: string): readonly [string, string] {
  const at = pair.indexOf('=')
  const [key, value] = at === -1 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
  const decoded = [key, value].map((text) => percentDecode(text.replaceAll('+', ' ')))
  const [name, content] = decoded
  if (typeof name === 'string' && typeof content === 'string') return [name, content]
  throw new S3Error(
    'InvalidArgument',
    "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.",
    { ArgumentName: TAGGING, ArgumentValue: whole },
  )
}

function requireTags(pairs: readonly (readonly [string, string])[], limit: number): Tags {
  if (pairs.length > limit) {
    throw new S3Error(
      'BadRequest',
      limit === MAX_OBJECT_TAGS
        ? 'Object tags cannot be greater than 10'
        : 'Bucket tag count cannot be greater than 50',
    )
  }
  const tags = Object.create(null) as Record<string, string>
  for (const [key, value] of pairs) {
    requireKey(key)
    if (value.length > MAX_VALUE_LENGTH || !ALLOWED.test(value)) {
      throw new S3Error('InvalidTag', 'The TagValue you have provided is invalid', {
        TagKey: key,
        TagValue: value,
      })
    }
    if (key in tags) {
      throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key', {
        TagKey: key,
      })
    }
    tags[key] = value
  }
  return Object.fromEntries(Object.entries(tags))
}

function requireKey(key: string): void {
  if (key === '' || key.length > MAX_KEY_LENGTH || !ALLOWED.test(key)) {
    throw new S3Error('InvalidTag', 'The TagKey you have provided is invalid', { TagKey: key })
  }
  if (!key.toLowerCase().startsWith('aws:')) return
  throw new S3Error('InvalidTag', 'System tags cannot be added/updated by requester', {
    TagKey: key,
  })
}
