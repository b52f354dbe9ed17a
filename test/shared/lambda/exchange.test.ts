import { PassThrough, type Writable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda'
import { afterEach, expect, test } from 'vitest'
import {
  type AnswerPrelude,
  type BlobHandler,
  blobHandler,
  type LambdaStreaming,
} from '../../../shared/lambda/exchange.ts'

type Invoke = (event: APIGatewayProxyEventV2, stream: Writable) => Promise<void>

/** What the runtime writes between status and body. */
const DELIMITER = '\0'.repeat(8)
const runtime = globalThis as { awslambda?: unknown }
const before = runtime.awslambda

afterEach(() => {
  runtime.awslambda = before
})

/** The runtime's behaviour: the prelude goes out with the first write, and never without one. */
const lambda: LambdaStreaming = {
  streamifyResponse: (fn) => fn,
  HttpResponseStream: {
    from(stream: Writable, prelude: AnswerPrelude) {
      const write = stream.write.bind(stream) as (chunk: unknown) => boolean
      let begun = false
      stream.write = ((chunk: unknown) => {
        if (!begun) write(JSON.stringify(prelude) + DELIMITER)
        begun = true
        return (chunk as string).length === 0 || write(chunk)
      }) as Writable['write']
      return stream
    },
  },
}

function inLambda(handler: BlobHandler): Invoke {
  runtime.awslambda = lambda
  return blobHandler(handler) as unknown as Invoke
}

const givenEvent = (body?: string): APIGatewayProxyEventV2 =>
  ({ version: '2.0', headers: {}, isBase64Encoded: true, body }) as APIGatewayProxyEventV2

test('Outside Lambda the handler is itself, also where an SDK client has made a global of that name', () => {
  const handler: BlobHandler = async () => {}
  delete runtime.awslambda
  expect(blobHandler(handler)).toBe(handler)
  runtime.awslambda = { InvokeStore: {} }
  expect(blobHandler(handler)).toBe(handler)
})

test('In Lambda the body is made from the event, and the answer goes out as prelude and bytes', async () => {
  const invoke = inLambda(async (_event, exchange) => {
    const body = await buffer(exchange.body())
    exchange.respond({ statusCode: 201, headers: { etag: '"a"' } }).end(body.toReversed())
  })
  const stream = new PassThrough()
  await Promise.all([
    invoke(givenEvent(Buffer.from([0, 255, 1]).toString('base64')), stream),
    buffer(stream).then((sent) => {
      const prelude = `{"statusCode":201,"headers":{"etag":"\\"a\\""}}${DELIMITER}`
      expect(sent).toEqual(Buffer.concat([Buffer.from(prelude), Buffer.from([1, 255, 0])]))
    }),
  ])
})

test('In Lambda an answer without a body still sends its status', async () => {
  const invoke = inLambda(async (_event, exchange) => {
    expect(await buffer(exchange.body())).toEqual(Buffer.alloc(0))
    exchange.respond({ statusCode: 204, headers: {} }).end()
  })
  const stream = new PassThrough()
  const sent = text(stream)
  await invoke(givenEvent(), stream)
  expect(await sent).toBe(`{"statusCode":204,"headers":{}}${DELIMITER}`)
})

test('In Lambda an invocation lasts until the answer is written', async () => {
  let ended = false
  const invoke = inLambda(async (_event, exchange) => {
    const answer = exchange.respond({ statusCode: 200, headers: {} })
    setTimeout(() => {
      ended = true
      answer.end('late')
    }, 30)
  })
  const stream = new PassThrough()
  stream.resume()
  await invoke(givenEvent(), stream)
  expect(ended).toBe(true)
})

test('In Lambda an answer that is broken off fails the invocation', async () => {
  const invoke = inLambda(async (_event, exchange) => {
    exchange.respond({ statusCode: 200, headers: {} }).write('half')
    exchange.abort(new Error('a tag did not verify'))
  })
  const stream = new PassThrough()
  stream.resume()
  await expect(invoke(givenEvent(), stream)).rejects.toThrow('a tag did not verify')
  expect(stream.writableFinished).toBe(false)
})

test('In Lambda what the handler throws fails the invocation', async () => {
  const invoke = inLambda(async () => {
    throw new Error('no')
  })
  await expect(invoke(givenEvent(), new PassThrough())).rejects.toThrow('no')
})

test('In Lambda a call that is not answered, or answered twice, fails the invocation', async () => {
  await expect(inLambda(async () => {})(givenEvent(), new PassThrough())).rejects.toThrow(
    'The call was not answered.',
  )
  const twice = inLambda(async (_event, exchange) => {
    exchange.respond({ statusCode: 200, headers: {} }).end()
    exchange.respond({ statusCode: 500, headers: {} })
  })
  await expect(twice(givenEvent(), new PassThrough())).rejects.toThrow('answered before')
})

test('In Lambda the handler is told when the client is gone', async () => {
  const stream = new PassThrough()
  const invoke = inLambda(async (_event, exchange) => {
    const answer = exchange.respond({ statusCode: 200, headers: {} })
    stream.destroy()
    await new Promise((resolve) => exchange.signal.addEventListener('abort', resolve))
    await pipeline(['x'], answer)
  })
  await expect(invoke(givenEvent(), stream)).rejects.toThrow()
})

test('In Lambda an event of a REST API becomes one of an HTTP API', async () => {
  const seen: APIGatewayProxyEventV2[] = []
  const invoke = inLambda(async (event, exchange) => {
    seen.push(event)
    exchange.respond({ statusCode: 200, headers: {} }).end()
  })
  const event = {
    resource: '/s3/GetObject',
    path: '/s3/GetObject',
    httpMethod: 'GET',
    headers: { Range: 'bytes=0-1', 'X-Amz-Meta-A': '2' },
    multiValueHeaders: { Range: ['bytes=0-1'], 'X-Amz-Meta-A': ['1', '2'] },
    body: null,
    isBase64Encoded: false,
    requestContext: {
      accountId: '111122223333',
      apiId: 'abc',
      httpMethod: 'GET',
      identity: { sourceIp: '192.0.2.1', userAgent: 'tester' },
      protocol: 'HTTP/1.1',
      requestId: 'id',
      requestTimeEpoch: 1,
      resourcePath: '/s3/GetObject',
      stage: 'dev',
    },
  } as unknown as APIGatewayProxyEvent
  const stream = new PassThrough()
  stream.resume()
  await invoke(event as unknown as APIGatewayProxyEventV2, stream)
  expect(seen[0]).toMatchObject({
    version: '2.0',
    routeKey: 'GET /s3/GetObject',
    rawPath: '/s3/GetObject',
    headers: { range: 'bytes=0-1', 'x-amz-meta-a': '1,2' },
    requestContext: { http: { method: 'GET', sourceIp: '192.0.2.1', userAgent: 'tester' } },
  })
  expect(seen[0]).not.toHaveProperty('body')
})
