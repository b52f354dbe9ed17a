/** The checksum of a whole multipart object, from those of its parts. */
import { combineCrcs, isCombinable } from '../../shared/blobs/crc-combine.ts'
import { compositeChecksum } from '../../shared/blobs/digests.ts'
import { S3Error } from '../../shared/blobs/s3-error.ts'
import {
  type ChecksumName,
  type ChecksumType,
  checksumHeader,
  checksumNames,
  DEFAULT_CHECKSUM,
} from '../../shared/lambda/s3-checksums.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { PartRecord, UploadRecord } from '../../shared/store/records.ts'
import { checksumOf } from './uploads.ts'

export interface WholeChecksum {
  readonly checksums: Readonly<Record<string, string>>
  readonly checksumType: ChecksumType
}

/**
 * @param parts - those of the object, in order
 * @throws S3Error InvalidRequest, BadDigest when the client expects another
 */
export function wholeChecksum(
  upload: UploadRecord,
  parts: readonly PartRecord[],
  request: S3Request,
): WholeChecksum {
  const name = checksumOf(upload) ?? DEFAULT_CHECKSUM
  const checksumType = upload.checksumType ?? 'FULL_OBJECT'
  const pieces = parts.map(({ checksums, size }) => ({ checksum: checksums[name] ?? '', size }))
  const value =
    checksumType === 'FULL_OBJECT' && isCombinable(name)
      ? combineCrcs(name, pieces)
      : compositeChecksum(
          name,
          pieces.map(({ checksum }) => checksum),
        )
  requireExpected(request, name, value, checksumType)
  return { checksums: { [name]: value }, checksumType }
}

function requireExpected(
  { header }: S3Request,
  name: ChecksumName,
  value: string,
  type: ChecksumType,
): void {
  const expectedType = header('x-amz-checksum-type')
  if (expectedType !== undefined && expectedType.toUpperCase() !== type) {
    throw new S3Error(
      'InvalidRequest',
      `The upload was created using the ${type} checksum mode. The complete request must use the same checksum mode.`,
    )
  }
  for (const given of checksumNames) {
    const expected = header(checksumHeader(given))
    if (expected === undefined || (given === name && expected === value)) continue
    throw new S3Error(
      'BadDigest',
      `The ${given.toLowerCase()} you specified did not match the calculated checksum.`,
    )
  }
}
