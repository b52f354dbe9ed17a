import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { checksumElements } from '../../shared/lambda/s3-checksums.ts'
import { parseCount } from '../../shared/lambda/s3-listing.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { canonicalUserId } from '../../shared/lambda/s3-owner.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import type { PartRecord, UploadRecord } from '../../shared/store/records.ts'
import { requireUpload } from './uploads.ts'

const MAX_PARTS = 1000
const MAX_PART_NUMBER = 10_000

/** The parts of an upload under way, by number. */
export const listParts = objectOperation({
  name: 'ListParts',
  action: 's3:ListMultipartUploadParts',
  readOnly: true,
  async run(request, call) {
    const maxParts = parseCount(request, 'max-parts', MAX_PARTS)
    const marker = request.parameter('part-number-marker')
      ? parseCount(request, 'part-number-marker', MAX_PART_NUMBER)
      : 0
    const upload = await requireUpload(request, call)
    const parts = await call.services.store.uploads.parts(upload)
    const later = parts.filter(({ partNumber }) => partNumber > marker)
    const shown = later.slice(0, maxParts)
    return xmlAnswer(
      xmlDocument('ListPartsResult', {
        Bucket: upload.bucket,
        Key: upload.key,
        UploadId: upload.uploadId,
        ...owners(upload),
        StorageClass: 'STANDARD',
        PartNumberMarker: marker,
        NextPartNumberMarker: shown.at(-1)?.partNumber ?? 0,
        MaxParts: maxParts,
        IsTruncated: maxParts > 0 && later.length > shown.length,
        ChecksumAlgorithm: upload.checksumAlgorithm ?? undefined,
        ChecksumType: upload.checksumType ?? undefined,
        Part: shown.map(entry),
      }),
    )
  },
})

function owners({ account }: UploadRecord) {
  const owner = { ID: canonicalUserId(account) }
  return { Initiator: owner, Owner: owner }
}

const entry = (part: PartRecord) => ({
  PartNumber: part.partNumber,
  LastModified: new Date(part.createdAt),
  ETag: `"${part.etag}"`,
  Size: part.size,
  ...checksumElements(part.checksums),
})

export const handler = s3Handler(listParts)
