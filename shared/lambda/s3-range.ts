/**
 * Which bytes of an object a read is for: all, a range (RFC 9110 section 14), or a part of a
 * multipart upload (Amazon S3 API Reference, "GetObject").
 */
import { S3Error } from '../blobs/s3-error.ts'
import type { ObjectRecord } from '../store/records.ts'
import { isCephProfile } from './s3-profile.ts'
import type { S3Request } from './s3-request.ts'

/** Bytes `start` to `end`, both inclusive; `end` is `start - 1` for none. */
export interface Selection {
  readonly start: number
  readonly end: number
  /** Whether the answer is 206 with a Content-Range. */
  readonly partial: boolean
  /** From 1, in the order of the object; `null` unless a part was asked for. */
  readonly partNumber: number | null
}

type Sized = Pick<ObjectRecord, 'size' | 'parts' | 'multipart'>

/** @throws S3Error InvalidRange, InvalidPartNumber, InvalidRequest, InvalidArgument */
export function selectBytes(request: S3Request, object: Sized): Selection {
  const range = request.header('range')
  const part = request.parameter('partNumber')
  if (part === undefined) return selectRange(range, object.size)
  if (range !== undefined) {
    throw new S3Error(
      'InvalidRequest',
      'Cannot specify both Range header and partNumber query parameter',
    )
  }
  return selectPart(parsePartNumber(part), object)
}

/** @throws S3Error InvalidArgument unless it is 1 to 10,000 */
export function parsePartNumber(text: string): number {
  const number = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= 10_000) return number
  throw new S3Error(
    'InvalidArgument',
    'Part number must be an integer between 1 and 10000, inclusive',
    { ArgumentName: 'partNumber', ArgumentValue: text },
  )
}

const whole = (size: number): Selection => ({
  start: 0,
  end: size - 1,
  partial: false,
  partNumber: null,
})

/** What is not one range in bytes is passed over, as the RFC has it. */
function selectRange(range: string | undefined, size: number): Selection {
  const [, first = '', last = ''] = /^bytes=([0-9]*)-([0-9]*)$/.exec(range ?? '') ?? []
  if (first === '' && last === '') return whole(size)
  const start = first === '' ? Math.max(size - Number(last), 0) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (first !== '' && last !== '' && Number(last) < start) return whole(size)
  if (start <= end) return { start, end, partial: true, partNumber: null }
  throw new S3Error(
    'InvalidRange',
    'The requested range is not satisfiable',
    { RangeRequested: range ?? '', ActualObjectSize: size },
    { headers: { 'content-range': `bytes */${size}` } },
  )
}

const PART_MISSING =
  "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag."

/** An object that came in one piece is its own first part. */
function selectPart(partNumber: number, { parts, size, multipart }: Sized): Selection {
  const sizes = multipart ? parts.map((part) => part.size) : [size]
  const own = sizes[partNumber - 1]
  if (own === undefined) {
    if (isCephProfile()) throw new S3Error('InvalidPart', PART_MISSING)
    throw new S3Error('InvalidPartNumber', 'The requested partnumber is not satisfiable', {
      PartNumberRequested: partNumber,
      ActualPartCount: sizes.length,
    })
  }
  const start = sizes.slice(0, partNumber - 1).reduce((sum, before) => sum + before, 0)
  return { start, end: start + own - 1, partial: own > 0, partNumber }
}
