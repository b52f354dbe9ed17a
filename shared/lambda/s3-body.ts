/** Bodies that are read as a whole: the XML documents of requests. */
import { S3Error } from '../blobs/s3-error.ts'
import { BodyDigests } from './s3-body-digests.ts'
import { type GivenChecksum, givenChecksum } from './s3-checksums.ts'
import { incompleteBody } from './s3-explain.ts'
import type { S3Request } from './s3-request.ts'
import { parseXml, type XmlNode } from './s3-xml-reader.ts'

/**
 * Reads the body as one document.
 * @param root - the name of its outermost element
 * @param limit - in bytes
 * @param given - the checksum of the body; `null` where such headers speak of something else
 * @returns what is within it; `null` when there is no body
 * @throws S3Error MalformedXML, MaxMessageLengthExceeded, or what the body's digests refuse it with
 */
export async function readXml(
  request: S3Request,
  root: string,
  limit: number,
  given: GivenChecksum | null = givenChecksum(request),
): Promise<XmlNode | null> {
  const bytes = await readWhole(request, limit, given)
  return bytes.length === 0 ? null : parseXml(bytes, root)
}

/** @throws S3Error InvalidRequest when nothing protects the body on its way, for requests that must have it */
export function requireBodyDigest(request: S3Request): void {
  if (request.header('content-md5') !== undefined || givenChecksum(request) !== null) return
  throw new S3Error(
    'InvalidRequest',
    'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
  )
}

/**
 * Reads the body as bytes.
 * @param limit - in bytes
 * @throws S3Error MaxMessageLengthExceeded, or what the body's digests refuse it with
 */
export async function readWhole(
  request: S3Request,
  limit: number,
  given: GivenChecksum | null = givenChecksum(request),
): Promise<Buffer> {
  const digests = new BodyDigests(request, given)
  if ((request.announcedLength() ?? 0) > limit) throw tooLong(limit)
  const { data, trailers } = request.body()
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of data as AsyncIterable<Buffer>) {
      length += chunk.length
      if (length > limit) throw tooLong(limit)
      digests.update(chunk)
      chunks.push(chunk)
    }
  } catch (error) {
    throw request.isBodyBroken() ? incompleteBody(error) : error
  }
  digests.verify(trailers())
  return Buffer.concat(chunks)
}

const tooLong = (limit: number): S3Error =>
  new S3Error('MaxMessageLengthExceeded', 'Your request was too big.', {
    MaxMessageLengthBytes: limit,
  })
