/**
 * Forms as browsers send them, multipart/form-data (RFC 7578; RFC 2046 section 5.1), read as they
 * come: the fields up to the file as text, the file as a stream. What stands behind the file is not
 * read.
 *
 *   [preamble CRLF] --boundary CRLF headers CRLF CRLF data CRLF --boundary … CRLF --boundary-- …
 */
import { Readable } from 'node:stream'

/** The body is not a form, or ends before it should. */
export class FormError extends Error {
  override readonly name = 'FormError'
  readonly kind: 'malformed' | 'too-large' | 'incomplete'

  constructor(kind: FormError['kind'], options: ErrorOptions = {}) {
    super(`The form is ${kind}.`, options)
    this.kind = kind
  }
}

export interface FormField {
  readonly name: string
  readonly value: string
}

export interface FormFile {
  /** As the client gave it, possibly with a path; empty when it gave none. */
  readonly filename: string
  /** Fails with a `FormError` when the body ends before the file does. */
  readonly data: Readable
}

export interface Form {
  /** Those before the file, in their order. */
  readonly fields: readonly FormField[]
  /** `null`: the form has none. */
  readonly file: FormFile | null
}

export interface FormOptions {
  /** From `boundaryOf`. */
  readonly boundary: string
  /** The name of the field that is the file, lower case. */
  readonly fileField: string
  /** Bytes of everything before the file. */
  readonly limit: number
}

/** RFC 2046 section 5.1.1: 1 to 70 characters, the last no space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/
const PARAMETER = /^;\s*([A-Za-z0-9!#$&+.^_`|~*-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))\s*/s
const CRLF = '\r\n'
const BLANK_LINE = Buffer.from('\r\n\r\n')
/** Encodings that change no byte (RFC 2045 section 6.2); RFC 7578 section 4.7 wants none at all. */
const PLAIN_ENCODINGS = new Set(['7bit', '8bit', 'binary'])

/** @returns the boundary that a Content-Type names; `null` when it is not that of a form */
export function boundaryOf(contentType: string): string | null {
  const type = /^\s*multipart\/form-data\s*(?=;)/i.exec(contentType)
  if (type === null) return null
  const boundary = parametersOf(contentType.slice(type[0].length))?.get('boundary')
  return boundary !== undefined && BOUNDARY.test(boundary) ? boundary : null
}

/**
 * @param body - stays the caller's to destroy
 * @throws FormError; what the body fails with
 */
export async function readForm(
  body: Readable,
  { boundary, fileField, limit }: FormOptions,
): Promise<Form> {
  const parts = new PartReader(body, boundary, limit)
  const fields: FormField[] = []
  await parts.skipPreamble()
  while (await parts.next()) {
    const { name, filename } = describePart(await parts.head())
    if (name.toLowerCase() === fileField) {
      return {
        fields,
        file: { filename, data: Readable.from(parts.data(), { objectMode: false }) },
      }
    }
    fields.push({ name, value: decodeText(await parts.whole()) })
  }
  return { fields, file: null }
}

/** Cuts a body at its delimiters. */
class PartReader {
  readonly #chunks: AsyncIterator<Buffer>
  readonly #delimiter: Buffer
  /** Bytes that may still be read before the file. */
  #left: number
  /** The first delimiter needs no line before it (RFC 2046 section 5.1.1). */
  #held: Buffer = Buffer.from(CRLF)

  constructor(body: Readable, boundary: string, limit: number) {
    this.#chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
    this.#delimiter = Buffer.from(`${CRLF}--${boundary}`)
    this.#left = limit
  }

  async skipPreamble(): Promise<void> {
    for await (const bytes of this.data()) this.#count(bytes.length)
  }

  /** To be called behind a delimiter. @returns whether a part follows */
  async next(): Promise<boolean> {
    while (this.#held.length < 2) await this.#more()
    if (this.#held.subarray(0, 2).equals(Buffer.from('--'))) return false
    const padding = await this.#until(Buffer.from(CRLF))
    if (!/^[ \t]*$/.test(padding.toString('latin1'))) throw new FormError('malformed')
    // A part without headers has its blank line at once.
    this.#held = Buffer.concat([Buffer.from(CRLF), this.#held])
    return true
  }

  /** The lines of a part's head. */
  async head(): Promise<string> {
    return decodeText(await this.#until(BLANK_LINE)).slice(CRLF.length)
  }

  async whole(): Promise<Buffer> {
    const chunks: Buffer[] = []
    for await (const bytes of this.data()) {
      this.#count(bytes.length)
      chunks.push(bytes)
    }
    return Buffer.concat(chunks)
  }

  /** The data of a part, up to its delimiter. */
  async *data(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const at = this.#held.indexOf(this.#delimiter)
      if (at !== -1) {
        const last = this.#held.subarray(0, at)
        this.#held = this.#held.subarray(at + this.#delimiter.length)
        if (last.length > 0) yield last
        return
      }
      // The end of what is here may be the beginning of a delimiter.
      const certain = this.#held.length - this.#delimiter.length + 1
      if (certain > 0) {
        const bytes = this.#held.subarray(0, certain)
        this.#held = this.#held.subarray(certain)
        yield bytes
      }
      await this.#more()
    }
  }

  async #until(end: Buffer): Promise<Buffer> {
    for (;;) {
      const at = this.#held.indexOf(end)
      if (at === -1 && this.#held.length > this.#left) throw new FormError('too-large')
      if (at === -1) {
        await this.#more()
        continue
      }
      const found = this.#held.subarray(0, at)
      this.#held = this.#held.subarray(at + end.length)
      this.#count(at + end.length)
      return found
    }
  }

  #count(length: number): void {
    this.#left -= length
    if (this.#left < 0) throw new FormError('too-large')
  }

  async #more(): Promise<void> {
    const { done, value } = await this.#chunks.next()
    if (done) throw new FormError('incomplete')
    this.#held = this.#held.length === 0 ? value : Buffer.concat([this.#held, value])
  }
}

interface PartHead {
  readonly name: string
  readonly filename: string
}

/** RFC 7578 section 4.2: every part says its name in Content-Disposition. */
function describePart(head: string): PartHead {
  const headers = new Map<string, string>()
  for (const line of head.split(CRLF)) {
    if (line === '') continue
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    if (colon < 1 || headers.has(name)) throw new FormError('malformed')
    headers.set(name, line.slice(colon + 1).trim())
  }
  const encoding = headers.get('content-transfer-encoding')?.toLowerCase() ?? 'binary'
  if (!PLAIN_ENCODINGS.has(encoding)) throw new FormError('malformed')
  const disposition = /^form-data\s*(?=;)/i.exec(headers.get('content-disposition') ?? '')
  if (disposition === null) throw new FormError('malformed')
  const parameters = parametersOf(disposition.input.slice(disposition[0].length))
  const name = parameters?.get('name')
  if (parameters === null || name === undefined) throw new FormError('malformed')
  return { name, filename: parameters.get('filename') ?? '' }
}

/** @returns `; name=value; name="value"` by lower-case name; `null` for another form, or for a name that comes twice */
function parametersOf(text: string): ReadonlyMap<string, string> | null {
  const parameters = new Map<string, string>()
  let rest = text.trim()
  while (rest !== '' && rest !== ';') {
    const [found, given = '', quoted, token = ''] = PARAMETER.exec(rest) ?? []
    const name = given.toLowerCase()
    if (found === undefined || parameters.has(name)) return null
    // Of the two that quoting needs, clients escape the quote; paths of Windows come as they are.
    parameters.set(name, quoted === undefined ? token : quoted.replaceAll('\\"', '"'))
    rest = rest.slice(found.length)
  }
  return parameters
}

/** RFC 7578 section 5.1: names and values are UTF-8. */
function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch (error) {
    throw new FormError('malformed', { cause: error })
  }
}
