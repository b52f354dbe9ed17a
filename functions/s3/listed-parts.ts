/** The list of parts that completes an upload, and what it must agree with (Amazon S3 API Reference, "CompleteMultipartUpload"). */
import { compositeEtag } from '../../shared/blobs/digests.ts'
import { S3Error } from '../../shared/blobs/s3-error.ts'
import { readXml } from '../../shared/lambda/s3-body.ts'
import { checksumElement, checksumNames } from '../../shared/lambda/s3-checksums.ts'
import { isCephProfile } from '../../shared/lambda/s3-profile.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import {
  childrenOf,
  malformedXml,
  textOf,
  type XmlNode,
} from '../../shared/lambda/s3-xml-reader.ts'
import type { PartRecord, UploadRecord } from '../../shared/store/records.ts'
import { checksumOf } from './uploads.ts'

const MAX_BODY = 8 * 1024 * 1024
const MAX_PARTS = 10_000
/** Bytes of every part but the last. */
const MIN_PART_SIZE = 5 * 1024 * 1024

export interface ListedPart {
  readonly partNumber: number
  /** Without quotes. */
  readonly etag: string
  /** By algorithm, as far as the list gives them. */
  readonly checksums: Readonly<Record<string, string>>
}

/** @throws S3Error MalformedXML, InvalidRequest, InvalidPartOrder */
export async function readListedParts(request: S3Request): Promise<readonly ListedPart[]> {
  // Checksum headers of this request speak of the object, not of its body.
  const document = await readXml(request, 'CompleteMultipartUpload', MAX_BODY, null)
  const listed = document === null ? [] : childrenOf(document, 'Part').map(parseListed)
  if (listed.length === 0) {
    if (isCephProfile()) throw malformedXml()
    throw new S3Error('InvalidRequest', 'You must specify at least one part')
  }
  if (listed.length > MAX_PARTS) throw malformedXml()
  listed.reduce((before, { partNumber }) => {
    if (partNumber > before) return partNumber
    throw new S3Error(
      'InvalidPartOrder',
      'The list of parts was not in ascending order. The parts list must be specified in order by part number.',
    )
  }, 0)
  return listed
}

function parseListed(node: XmlNode): ListedPart {
  const number = textOf(node, 'PartNumber') ?? ''
  const etag = textOf(node, 'ETag')
  if (!/^[0-9]{1,5}$/.test(number) || etag === undefined) throw malformedXml()
  const checksums = checksumNames.flatMap((name) => {
    const value = textOf(node, checksumElement(name))
    return value ? [[name, value] as const] : []
  })
  return {
    partNumber: Number(number),
    etag: etag.replace(/^"|"$/g, ''),
    checksums: Object.fromEntries(checksums),
  }
}

/** @returns the ETag that the list gives an object; `null` when it has ETags that are none of ours */
export const etagOfList = (listed: readonly ListedPart[]): string | null =>
  listed.every(({ etag }) => /^[0-9a-f]{32}$/.test(etag))
    ? compositeEtag(listed.map(({ etag }) => etag))
    : null

/**
 * @param present - the parts that were uploaded
 * @returns those that are listed, in the order of the list
 * @throws S3Error InvalidPart, EntityTooSmall, InvalidRequest
 */
export function chooseParts(
  upload: UploadRecord,
  listed: readonly ListedPart[],
  present: readonly PartRecord[],
): readonly PartRecord[] {
  const byNumber = new Map(present.map((part) => [part.partNumber, part]))
  const chosen = listed.map((entry) => {
    const part = byNumber.get(entry.partNumber)
    if (part === undefined || !agrees(entry, part)) throw invalidPart(entry, upload)
    return part
  })
  requireSizes(chosen)
  requireChecksums(upload, listed)
  return chosen
}

const agrees = (entry: ListedPart, part: PartRecord): boolean =>
  entry.etag === part.etag &&
  Object.entries(entry.checksums).every(([name, value]) => part.checksums[name] === value)

const invalidPart = ({ partNumber, etag }: ListedPart, { uploadId }: UploadRecord): S3Error =>
  new S3Error(
    'InvalidPart',
    "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
    { UploadId: uploadId, PartNumber: partNumber, ETag: etag },
  )

function requireSizes(chosen: readonly PartRecord[]): void {
  const small = chosen.slice(0, -1).find(({ size }) => size < MIN_PART_SIZE)
  if (small === undefined) return
  throw new S3Error(
    'EntityTooSmall',
    'Your proposed upload is smaller than the minimum allowed size',
    {
      ProposedSize: small.size,
      MinSizeAllowed: MIN_PART_SIZE,
      PartNumber: small.partNumber,
      ETag: small.etag,
    },
  )
}

/** A composite checksum is made of what the client says of each part. */
function requireChecksums(upload: UploadRecord, listed: readonly ListedPart[]): void {
  const name = checksumOf(upload)
  if (name === null || upload.checksumType !== 'COMPOSITE') return
  const bare = listed.find(({ checksums }) => checksums[name] === undefined)
  if (bare === undefined) return
  throw new S3Error(
    'InvalidRequest',
    `The upload was created using a ${name.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${bare.partNumber} in the request.`,
  )
}
