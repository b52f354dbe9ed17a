/** The digests of a body: those that the client gave, to be verified, and those that are kept. */
import { type DigestName, PlaintextDigests } from '../blobs/digests.ts'
import { S3Error } from '../blobs/s3-error.ts'
import {
  type ChecksumName,
  checksumHeader,
  type GivenChecksum,
  requireWellFormed,
} from './s3-checksums.ts'
import type { S3Request } from './s3-request.ts'

const MD5_LENGTH = 16

export class BodyDigests {
  readonly #given: GivenChecksum | null
  readonly #contentMd5: string | null
  readonly #digests: PlaintextDigests

  /**
   * Reads what the client gave; nothing of the body is needed for it.
   * @param given - from `givenChecksum`
   * @param kept - digests that are wanted besides those that the client gave
   * @throws S3Error InvalidDigest
   */
  constructor(request: S3Request, given: GivenChecksum | null, kept: readonly DigestName[] = []) {
    this.#contentMd5 = contentMd5(request)
    this.#given = given
    const names = new Set<DigestName>(kept)
    if (this.#contentMd5 !== null) names.add('MD5')
    if (given !== null) names.add(given.name)
    this.#digests = new PlaintextDigests(names)
  }

  readonly update = (bytes: Uint8Array): void => this.#digests.update(bytes)

  /**
   * To be called when the whole body has come.
   * @throws S3Error BadDigest when it is not the one that the client sent, MalformedTrailerError
   *   when the checksum that was announced is missing
   */
  verify(trailers: ReadonlyMap<string, string>): void {
    this.#verifyMd5()
    if (this.#given === null) return
    const { name, value } = this.#given
    const expected = value ?? fromTrailer(name, trailers)
    if (this.#digests.base64(name) === expected) return
    throw new S3Error(
      'BadDigest',
      `The ${name} you specified did not match the calculated checksum.`,
    )
  }

  /** @returns the MD5 in hex; `null` when it was not wanted */
  md5(): string | null {
    return this.#digests.hex('MD5')
  }

  /** @returns base64 */
  checksum(name: ChecksumName): string {
    const value = this.#digests.base64(name)
    if (value === null) throw new Error(`${name} was not computed.`)
    return value
  }

  #verifyMd5(): void {
    const expected = this.#contentMd5
    const calculated = this.#digests.base64('MD5')
    if (expected === null || calculated === null || expected === calculated) return
    throw new S3Error(
      'BadDigest',
      'The Content-MD5 you specified did not match what we received.',
      {
        ExpectedDigest: expected,
        CalculatedDigest: calculated,
      },
    )
  }
}

function contentMd5(request: S3Request): string | null {
  const text = request.header('content-md5')
  if (text === undefined) return null
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length === MD5_LENGTH && bytes.toString('base64') === text) return text
  throw new S3Error('InvalidDigest', 'The Content-MD5 you specified was invalid.', {
    'Content-MD5': text,
  })
}

function fromTrailer(name: ChecksumName, trailers: ReadonlyMap<string, string>): string {
  const value = trailers.get(checksumHeader(name))
  if (value === undefined) {
    throw new S3Error(
      'MalformedTrailerError',
      'The request contained trailing data that was not well-formed or did not conform to our published schema.',
    )
  }
  requireWellFormed(name, value)
  return value
}
