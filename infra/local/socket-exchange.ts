/** The streams of a call that are the socket's own. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { BlobExchange } from '../../shared/lambda/exchange.ts'
import { bodyStream } from './request-body.ts'

/**
 * @param waits - the client sent `Expect: 100-continue` and sends no body until it is asked to
 * @returns the exchange over this request and this response
 */
export function socketExchange(
  request: IncomingMessage,
  response: ServerResponse,
  waits: boolean,
): BlobExchange {
  const gone = new AbortController()
  let refused = waits
  response.once('close', () => {
    if (!response.writableFinished) gone.abort()
  })
  return {
    body() {
      if (refused) response.writeContinue()
      refused = false
      return bodyStream(request)
    },
    respond({ statusCode, headers }) {
      if (response.headersSent) throw new Error('The call was answered before.')
      // The client may send the announced body or leave it out: only a new connection is clear.
      response.writeHead(statusCode, refused ? { ...headers, connection: 'close' } : { ...headers })
      return response
    },
    abort: () => response.destroy(),
    signal: gone.signal,
  }
}
