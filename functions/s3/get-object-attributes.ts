import { wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { invalidArgument, S3Error } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { checksumElements } from '../../shared/lambda/s3-checksums.ts'
import { customerKeyOf } from '../../shared/lambda/s3-customer-key.ts'
import { parseCount } from '../../shared/lambda/s3-listing.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { isCephProfile } from '../../shared/lambda/s3-profile.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { type XmlElements, xmlDocument } from '../../shared/lambda/s3-xml.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import { openVerified, requireObject } from './read-object.ts'

const HEADER = 'x-amz-object-attributes'
/** In the order in which they are told. */
const ATTRIBUTES = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize'] as const
type Attribute = (typeof ATTRIBUTES)[number]

const MAX_PARTS = 1000
const MAX_PART_NUMBER = 10_000

/**
 * What is known of an object, as far as it is asked for. As with HeadObject, checksums of an object
 * under a KMS key take the right to decrypt with it.
 */
export const getObjectAttributes = objectOperation({
  name: 'GetObjectAttributes',
  action: 's3:GetObject',
  also: ({ objectArn }) => [{ action: 's3:GetObjectAttributes', resource: objectArn }],
  readOnly: true,
  async run(request, call) {
    const asked = readAttributes(request)
    const page = readPage(request)
    const record = await requireObject(request, call)
    const { encryption } = record
    const customerKey = customerKeyOf(encryption, request)
    const takesKms = encryption.mode === 'SSE-KMS' || encryption.mode === 'DSSE-KMS'
    if (!takesKms || asked.has('Checksum') || asked.has('ObjectParts')) {
      wipeObjectKeys(await openVerified(record, customerKey, call))
    }
    const elements: Record<Attribute, XmlElements[string]> = {
      ETag: record.etag,
      Checksum: checksumOf(record),
      ObjectParts: record.multipart ? partsOf(record, page) : undefined,
      StorageClass: 'STANDARD',
      ObjectSize: record.size,
    }
    const told = ATTRIBUTES.filter((name) => asked.has(name)).map((name) => [name, elements[name]])
    return xmlAnswer(xmlDocument('GetObjectAttributesResponse', Object.fromEntries(told)), {
      'last-modified': new Date(record.createdAt).toUTCString(),
    })
  },
})

/** @throws S3Error InvalidRequest, InvalidArgument */
function readAttributes({ header }: S3Request): ReadonlySet<Attribute> {
  const text = header(HEADER) ?? ''
  if (text.trim() === '') {
    throw new S3Error(
      'InvalidRequest',
      `The ${HEADER} header specifying the attributes to be retrieved is either missing or empty`,
    )
  }
  const names = text.split(',').map((name) => name.trim())
  if (names.every(isAttribute)) return new Set(names)
  throw invalidArgument('Invalid attribute name specified.', HEADER, text)
}

const isAttribute = (name: string): name is Attribute =>
  (ATTRIBUTES as readonly string[]).includes(name)

interface Page {
  readonly max: number
  /** The number of the part that the page begins after. */
  readonly marker: number
}

/** @throws S3Error InvalidArgument */
const readPage = ({ header: parameter }: S3Request): Page => ({
  max: parseCount({ parameter }, 'x-amz-max-parts', MAX_PARTS),
  marker: parameter('x-amz-part-number-marker')
    ? parseCount({ parameter }, 'x-amz-part-number-marker', MAX_PART_NUMBER)
    : 0,
})

const checksumOf = ({ checksums, checksumType }: ObjectRecord): XmlElements | undefined =>
  Object.keys(checksums).length === 0
    ? undefined
    : { ...checksumElements(checksums), ChecksumType: checksumType ?? undefined }

/**
 * S3 tells of single parts only where the object's checksum is made of theirs. Parts are numbered in
 * their order, as reads by `partNumber` count them.
 */
function partsOf({ parts, checksumType }: ObjectRecord, { max, marker }: Page): XmlElements {
  if (checksumType !== 'COMPOSITE' && !isCephProfile()) return { PartsCount: parts.length }
  const numbered = parts.map(({ size, checksums }, index) => ({
    PartNumber: index + 1,
    Size: size,
    ...checksumElements(checksums),
  }))
  const later = numbered.filter(({ PartNumber }) => PartNumber > marker)
  const shown = later.slice(0, max)
  return {
    PartsCount: parts.length,
    PartNumberMarker: marker,
    NextPartNumberMarker: shown.at(-1)?.PartNumber ?? 0,
    MaxParts: max,
    IsTruncated: max > 0 && later.length > shown.length,
    Part: shown,
  }
}
