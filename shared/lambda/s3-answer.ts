/** What an S3 operation answers, and how it leaves: status and headers first, then the body as a stream. */
import { finished, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { BlobExchange } from './exchange.ts'

export interface S3Answer {
  readonly status: number
  /** Lower-case name → value. */
  readonly headers: Readonly<Record<string, string>>
  /** Text is XML. A stream gives as many bytes as its `content-length` says, or fails. */
  readonly body?: string | Readable
  /** For the audit record. */
  readonly event?: Readonly<Record<string, unknown>>
}

export const XML_TYPE = 'application/xml'

/** An answer whose body is an XML document. */
export const xmlAnswer = (
  body: string,
  headers: Readonly<Record<string, string>> = {},
): S3Answer => ({ status: 200, headers: { ...headers, 'content-type': XML_TYPE }, body })

/**
 * Sends an answer. A body that fails breaks the connection, because its end would tell the client
 * that it has everything.
 * @param method - the answer to a HEAD has the headers of a body and none
 * @returns once everything is sent, or the client is gone
 */
export async function sendAnswer(
  { status, headers, body }: S3Answer,
  method: string,
  exchange: BlobExchange,
): Promise<void> {
  if (typeof body === 'object') {
    await sendStream(body, exchange, { statusCode: status, headers })
    return
  }
  const text = method === 'HEAD' ? undefined : body
  const length = text === undefined ? undefined : Buffer.byteLength(text)
  const ended = exchange.respond({
    statusCode: status,
    headers: { ...lengthHeader(length, status, method), ...headers },
  })
  ended.end(text)
  await new Promise((resolve) => finished(ended, resolve))
}

async function sendStream(
  body: Readable,
  exchange: BlobExchange,
  prelude: { readonly statusCode: number; readonly headers: S3Answer['headers'] },
): Promise<void> {
  let failure: Error | null = null
  body.once('error', (error) => {
    failure = error
  })
  try {
    await pipeline(body, exchange.respond(prelude))
  } catch (error) {
    body.destroy() // a pipeline to a connection that is gone leaves it open
    exchange.abort(error as Error)
    // When it is not the body that failed, the client has gone, which is its right.
    if (failure !== null && !exchange.signal.aborted) throw failure
  }
}

/** RFC 9110 section 8.6: 204 and 304 have no length; that of a HEAD is the object's, if any. */
function lengthHeader(
  length: number | undefined,
  status: number,
  method: string,
): Readonly<Record<string, string>> {
  if (status === 204 || status === 304 || method === 'HEAD') return {}
  return { 'content-length': String(length ?? 0) }
}
