/**
 * The two streams beside the event of an S3 call. In a long-running server they are the socket's
 * own; in Lambda they are made here, from the event and the runtime's response streaming (AWS
 * Lambda Developer Guide, "Writing response streaming-enabled functions").
 */
import { Readable, type Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda'
import { bodyOf } from './origin.ts'
import { asHttpApiEvent } from './rest-event.ts'

export interface AnswerPrelude {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
}

export interface BlobExchange {
  /** The request's body, not aws-chunked-decoded; asking for it makes the server answer 100-continue. */
  body(): Readable
  /** Sends status and headers. @returns the stream to write to; end it. Calling it twice is an error. */
  respond(prelude: AnswerPrelude): Writable
  /** Breaks the connection: an answer has begun and cannot be finished truthfully. */
  abort(cause: Error): void
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
}

/** Answers by `exchange.respond`; settles when it has no more to do. */
export type BlobHandler = (event: APIGatewayProxyEventV2, exchange: BlobExchange) => Promise<void>

/** What the Lambda runtime for Node.js puts into the global scope. */
export interface LambdaStreaming {
  streamifyResponse(
    fn: (event: APIGatewayProxyEvent | APIGatewayProxyEventV2, stream: Writable) => Promise<void>,
  ): unknown
  readonly HttpResponseStream: {
    from(stream: Writable, prelude: AnswerPrelude): Writable
  }
}

/** @returns in Lambda, the handler as its runtime calls it; anywhere else, `fn` itself */
export function blobHandler(fn: BlobHandler): BlobHandler {
  const awslambda = runtime()
  if (awslambda === null) return fn
  return awslambda.streamifyResponse((event, stream) =>
    exchangeInLambda(awslambda, fn, asHttpApiEvent(event), stream),
  ) as BlobHandler
}

/** AWS SDK clients make a global of that name too, without the streaming. */
function runtime(): LambdaStreaming | null {
  const { awslambda: found } = globalThis as unknown as { awslambda?: Partial<LambdaStreaming> }
  return found?.streamifyResponse === undefined ? null : (found as LambdaStreaming)
}

/** @throws what broke the answer; the runtime then breaks off the response, so that it looks cut */
async function exchangeInLambda(
  awslambda: LambdaStreaming,
  fn: BlobHandler,
  event: APIGatewayProxyEventV2,
  stream: Writable,
): Promise<void> {
  const gone = new AbortController()
  const broken = Promise.withResolvers<never>()
  broken.promise.catch(() => {}) // a failure before anyone waits for it is no crash
  stream.once('close', () => {
    if (!stream.writableFinished) gone.abort()
  })
  let answer: Writable | undefined
  const exchange: BlobExchange = {
    body: () => Readable.from(event.body ? [bodyOf(event)] : [], { objectMode: false }),
    respond(prelude) {
      if (answer !== undefined) throw new Error('The call was answered before.')
      answer = awslambda.HttpResponseStream.from(stream, prelude)
      answer.write('') // the prelude goes out with the first write, which an empty body lacks
      return answer
    },
    abort: broken.reject,
    signal: gone.signal,
  }
  await Promise.race([fn(event, exchange), broken.promise])
  if (answer === undefined) throw new Error('The call was not answered.')
  await Promise.race([finished(answer), broken.promise])
}
