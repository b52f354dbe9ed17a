/** The trailer of an aws-chunked body: header lines that come after the data, such as a checksum. */
import type { ChunkSignatures } from './chunk-signatures.ts'
import { ChunkedBodyError } from './chunked-body-error.ts'

const MAX_LENGTH = 8 * 1024
const FIELD = /^([A-Za-z0-9\-_]+):[ \t]*(.*?)[ \t]*$/
const SIGNATURE = 'x-amz-trailer-signature'

export class Trailer {
  readonly #fields = new Map<string, string>()
  /** `null` when the trailer is not signed. */
  readonly #signatures: ChunkSignatures | null
  #signedText = ''
  #length = 0

  constructor(signatures: ChunkSignatures | null) {
    this.#signatures = signatures
  }

  /** Lower-case name → value, without the signature. */
  get fields(): ReadonlyMap<string, string> {
    return this.#fields
  }

  /**
   * @param line - without its line feed; a carriage return before it is optional
   * @returns whether it was the last one: the empty line, or the signature where there is one
   * @throws ChunkedBodyError `malformed`, `signature`
   */
  take(line: string): boolean {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    this.#length += line.length
    if (this.#length > MAX_LENGTH) throw new ChunkedBodyError('malformed')
    // AWS's own example has an empty line before the signature.
    if (text === '') return this.#signatures === null
    const [, name, value] = FIELD.exec(text) ?? []
    if (name === undefined || value === undefined) throw new ChunkedBodyError('malformed')
    return name.toLowerCase() === SIGNATURE
      ? this.#takeSignature(value)
      : this.#takeField(name.toLowerCase(), value)
  }

  #takeField(name: string, value: string): false {
    if (this.#fields.has(name)) throw new ChunkedBodyError('malformed')
    this.#fields.set(name, value)
    this.#signedText += `${name}:${value}\n`
    return false
  }

  #takeSignature(signature: string): true {
    if (this.#signatures === null) throw new ChunkedBodyError('malformed')
    if (this.#signatures.isTrailerSigned(signature, this.#signedText)) return true
    throw new ChunkedBodyError('signature')
  }
}
