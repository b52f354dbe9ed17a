/** Answers that the gateway gives itself, worded as the protocol of the path asks. */
import { randomUUID } from 'node:crypto'
import type { ServerResponse } from 'node:http'

export interface Refusal {
  readonly status: number
  /** As AWS names it: `RequestEntityTooLargeException`. */
  readonly code: string
  readonly message?: string
}

export const INTERNAL: Refusal = { status: 500, code: 'InternalFailure' }
export const TOO_LARGE: Refusal = { status: 413, code: 'RequestEntityTooLargeException' }
export const BAD_REQUEST: Refusal = { status: 400, code: 'BadRequest' }
export const NOT_FOUND: Refusal = { status: 404, code: 'NotFound' }
export const NOT_READY: Refusal = { status: 503, code: 'ServiceUnavailable' }

/**
 * @param path - as the edge set it, which tells the protocol
 */
export function refuse(response: ServerResponse, path: string, refusal: Refusal): void {
  if (response.headersSent) {
    response.destroy() // the answer has begun and cannot become another one
    return
  }
  const requestId = randomUUID()
  const { type, body } = render(path, refusal, requestId)
  response.writeHead(refusal.status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'x-amzn-requestid': requestId,
  })
  response.end(body)
}

function render(path: string, { code, message }: Refusal, requestId: string) {
  if (path.startsWith('/s3/')) {
    const name = code === INTERNAL.code ? 'InternalError' : code
    const error = `<Code>${name}</Code><Message>${message ?? code}</Message><RequestId>${requestId}</RequestId>`
    return { type: 'application/xml', body: `${XML}<Error>${error}</Error>` }
  }
  if (path === '/sts') {
    const error = `<Error><Type>Receiver</Type><Code>${code}</Code><Message>${message ?? code}</Message></Error>`
    const body = `${XML}<ErrorResponse>${error}<RequestId>${requestId}</RequestId></ErrorResponse>`
    return { type: 'text/xml', body }
  }
  return { type: 'application/x-amz-json-1.1', body: JSON.stringify({ __type: code, message }) }
}

const XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
