/** The data of a request's body, verified as its payload mode allows. */
import { createHash } from 'node:crypto'
import { type Readable, Transform, type TransformCallback } from 'node:stream'
import { AwsChunkedDecoder } from './aws-chunked.ts'
import { ChunkedBodyError } from './chunked-body-error.ts'
import { equalsDigest } from './equal-hex.ts'
import type { Payload } from './payload.ts'

const NO_TRAILERS: ReadonlyMap<string, string> = new Map()

/**
 * @param body - as received. When the data fails it is left where it stands, for its owner to drain
 *   or to close: destroying it would take the connection, and the answer, along
 * @param decodedLength - bytes of data that were announced, if they were
 * @returns the data; it fails with a `ChunkedBodyError` before the last bytes are given when they are
 *   not what was signed
 */
export function payloadStream(
  body: Readable,
  payload: Payload,
  decodedLength: number | null,
): Readable {
  switch (payload.kind) {
    case 'unsigned':
      return decodedLength === null ? body : feed(body, new LengthCheck(decodedLength))
    case 'hash':
      return feed(body, new Sha256Check(payload.sha256, decodedLength))
    case 'unsigned-trailer':
    case 'signed-chunks':
    case 'signed-chunks-trailer':
      return feed(body, new AwsChunkedDecoder(payload, decodedLength))
    default:
      return payload satisfies never
  }
}

/**
 * @param data - what `payloadStream` gave, once it has ended
 * @returns lower-case name → value; empty when the payload has no trailer
 */
export const trailersOf = (data: Readable): ReadonlyMap<string, string> =>
  data instanceof AwsChunkedDecoder ? data.trailers : NO_TRAILERS

function feed(body: Readable, check: Transform): Readable {
  body.on('error', (error) => check.destroy(error))
  body.on('close', () => {
    if (!body.readableEnded) check.destroy(new ChunkedBodyError('incomplete'))
  })
  return body.pipe(check)
}

/** Passes bytes on as long as there are no more than announced, and fails when there are fewer. */
class LengthCheck extends Transform {
  readonly #length: number | null
  #total = 0

  constructor(length: number | null) {
    super()
    this.#length = length
  }

  override _transform(bytes: Buffer, _encoding: string, done: TransformCallback): void {
    this.#total += bytes.length
    const isTooLong = this.#length !== null && this.#total > this.#length
    if (!isTooLong) this.accept(bytes)
    done(isTooLong ? new ChunkedBodyError('incomplete') : null)
  }

  override _flush(done: TransformCallback): void {
    const isTooShort = this.#length !== null && this.#total < this.#length
    done(isTooShort ? new ChunkedBodyError('incomplete') : this.conclude())
  }

  protected accept(bytes: Buffer): void {
    this.push(bytes)
  }

  protected conclude(): Error | null {
    return null
  }
}

/** Holds the last bytes back until the hash over all of them is verified. */
class Sha256Check extends LengthCheck {
  readonly #expected: string
  readonly #hash = createHash('sha256')
  #held: Buffer | null = null

  constructor(expected: string, length: number | null) {
    super(length)
    this.#expected = expected
  }

  protected override accept(bytes: Buffer): void {
    this.#hash.update(bytes)
    if (this.#held !== null) this.push(this.#held)
    this.#held = bytes
  }

  protected override conclude(): Error | null {
    if (!equalsDigest(this.#expected, this.#hash.digest())) {
      return new ChunkedBodyError('sha256-mismatch')
    }
    if (this.#held !== null) this.push(this.#held)
    return null
  }
}
