import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type Gateway, MAX_BODY, startGateway } from '../../../infra/local/gateway.ts'
import { type Route, routeTable } from '../../../infra/local/routes.ts'
import type { BlobHandler } from '../../../shared/lambda/exchange.ts'

const route = (method: string, path: string, streams = false): Route => ({
  method,
  path,
  handler: path,
  streams,
})

const ROUTES = [
  route('POST', '/kms/Encrypt'),
  route('ANY', '/sts'),
  route('PUT', '/s3/PutObject', true),
  route('GET', '/s3/GetObject', true),
  route('HEAD', '/s3/HeadObject', true),
]

type Handlers = Readonly<Record<string, unknown>>

const running: Gateway[] = []
const sockets: Socket[] = []

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy()
  await Promise.all(running.splice(0).map((gateway) => gateway.close(0)))
})

/** A gateway over handlers by path. */
async function givenGateway(
  handlers: Handlers,
  options: { ready?: () => boolean; originSecret?: string } = {},
) {
  const { ready = () => true, ...rest } = options
  const gateway = await startGateway({
    host: '127.0.0.1',
    port: 0,
    routes: routeTable(ROUTES),
    load: async ({ path }) => handlers[path],
    health: () => ({ ready: ready(), parts: { engine: ready() } }),
    ...rest,
  })
  running.push(gateway)
  return { gateway, url: `http://127.0.0.1:${gateway.port}` }
}

/** Sends the text as it is, and expects an answer that matches. */
async function expectAnswer(gateway: Gateway, text: string, pattern: RegExp): Promise<void> {
  expect(await send(gateway, text, pattern)).toMatch(pattern)
}

/** @returns what has come back once it matches, or all and `<closed>` once the connection is */
function send(gateway: Gateway, text: string, until: RegExp): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(gateway.port, '127.0.0.1')
    sockets.push(socket)
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
      if (until.test(answer)) resolve(answer)
    })
    socket.on('error', () => {})
    socket.on('close', () => resolve(`${answer}<closed>`))
    socket.write(text, 'latin1')
  })
}

const encryptHeaders = { 'x-amz-target': 'TrentService.Encrypt' }
const echo = async (event: APIGatewayProxyEventV2) => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(event),
})

describe('The event', () => {
  test('is what an HTTP API gives, with what the edge moved', async () => {
    const { gateway, url } = await givenGateway({ '/kms/Encrypt': echo })
    const answer = await fetch(`${url}/?a=%20b`, {
      method: 'POST',
      headers: { ...encryptHeaders, 'user-agent': 'tester', cookie: 'a=1; b=2' },
      body: '{"é":1}',
    })
    const event = (await answer.json()) as APIGatewayProxyEventV2
    expect(event).toMatchObject({
      version: '2.0',
      routeKey: 'POST /kms/Encrypt',
      rawPath: '/kms/Encrypt',
      rawQueryString: '',
      body: '{"é":1}',
      isBase64Encoded: false,
      cookies: ['a=1', 'b=2'],
      requestContext: {
        http: { method: 'POST', path: '/kms/Encrypt', sourceIp: '127.0.0.1', userAgent: 'tester' },
        stage: '$default',
      },
    })
    expect(event.headers).toMatchObject({
      'x-keyhold-path': '/',
      'x-keyhold-query': 'a=%20b',
      'x-keyhold-host': `127.0.0.1:${gateway.port}`,
      'x-forwarded-proto': 'http',
    })
    expect(event.headers).not.toHaveProperty('cookie')
    expect(event.requestContext.time).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000$/)
  })

  test('carries every byte of a body, as base64 when it is not UTF-8', async () => {
    const { url } = await givenGateway({ '/kms/Encrypt': echo })
    const body = Buffer.from([0x7b, 0xff, 0x00, 0xc3, 0x28])
    const answer = await fetch(url, { method: 'POST', headers: encryptHeaders, body })
    const event = (await answer.json()) as APIGatewayProxyEventV2
    expect(event.isBase64Encoded).toBe(true)
    expect(Buffer.from(event.body ?? '', 'base64')).toEqual(body)
  })

  test('has the raw path and a header that came twice joined by a comma, and no forged header', async () => {
    const seen: APIGatewayProxyEventV2[] = []
    const get: BlobHandler = async (event, exchange) => {
      seen.push(event)
      exchange.respond({ statusCode: 204, headers: {} }).end()
    }
    const { gateway } = await givenGateway({ '/s3/GetObject': get })
    const head = 'GET /b//a/../%2F+ HTTP/1.1\r\nHost: h\r\nX-Amz-Meta-A: 1\r\nx-amz-meta-a: 2\r\n'
    const forged = 'X-Keyhold-Path: /x\r\nX-Forwarded-Proto: https\r\n\r\n'
    await expectAnswer(gateway, head + forged, /^HTTP\/1.1 204 /)
    expect(seen[0]?.headers).toMatchObject({
      'x-keyhold-path': '/b//a/../%2F+',
      'x-amz-meta-a': '1,2',
      'x-forwarded-proto': 'http',
    })
  })

  test('carries the secret of the origin where one is set', async () => {
    const { url } = await givenGateway({ '/kms/Encrypt': echo }, { originSecret: 'of the edge' })
    const headers = { ...encryptHeaders, 'x-keyhold-origin-secret': 'guessed' }
    const answer = await fetch(url, { method: 'POST', headers })
    const event = (await answer.json()) as APIGatewayProxyEventV2
    expect(event.headers['x-keyhold-origin-secret']).toBe('of the edge')
  })

  test('is made from a target in absolute form too', async () => {
    const { gateway } = await givenGateway({ '/sts': echo })
    const text = 'GET http://h/?Action=GetCallerIdentity HTTP/1.1\r\nHost: h\r\n\r\n'
    await expectAnswer(gateway, text, /"x-keyhold-path":"\/"/)
  })
})

describe('The answer', () => {
  test('has the status, the headers and the exact body that the handler gave', async () => {
    const body = Buffer.from([0, 255, 10]).toString('base64')
    const give = async () => ({
      statusCode: 418,
      headers: { 'x-a': 'b' },
      body,
      isBase64Encoded: true,
    })
    const { url } = await givenGateway({ '/kms/Encrypt': give })
    const answer = await fetch(url, { method: 'POST', headers: encryptHeaders })
    expect([answer.status, answer.headers.get('x-a')]).toEqual([418, 'b'])
    expect(answer.headers.get('content-length')).toBe('3')
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from([0, 255, 10]))
  })

  test.each([
    ['POST', '', encryptHeaders, '/kms/Encrypt', '{"__type":"InternalFailure"}'],
    [
      'POST',
      '',
      { 'content-type': 'application/x-www-form-urlencoded' },
      '/sts',
      '<ErrorResponse>',
    ],
    ['PUT', '/b/k', {}, '/s3/PutObject', '<Code>InternalError</Code>'],
  ])(
    'to a call whose handler throws says nothing of why (%s %s)',
    async (method, path, headers, of, says) => {
      const told = vi.spyOn(console, 'error').mockImplementation(() => {})
      const broken = async () => {
        throw new Error('the inside')
      }
      const { url } = await givenGateway({ [of]: broken })
      const answer = await fetch(url + path, { method, headers, body: 'x' })
      const text = await answer.text()
      expect(answer.status).toBe(500)
      expect(text).toContain(says)
      expect(text).not.toMatch(/inside|\.ts|at /)
      expect(told).toHaveBeenCalled()
      told.mockRestore()
    },
  )

  test('is 404 where there is no route', async () => {
    const { url } = await givenGateway({})
    expect((await fetch(url, { headers: { 'x-amz-target': 'TrentService.Encrypt' } })).status).toBe(
      404,
    )
  })

  test('is 503 for everything before all parts serve, and health tells which do', async () => {
    let ready = false
    const { url } = await givenGateway({ '/kms/Encrypt': echo }, { ready: () => ready })
    const call = () => fetch(url, { method: 'POST', headers: encryptHeaders, body: '{}' })
    const health = () => fetch(`${url}/_keyhold/health`)
    expect([(await call()).status, (await health()).status]).toEqual([503, 503])
    ready = true
    expect((await call()).status).toBe(200)
    expect(await (await health()).json()).toEqual({ status: 'ok', engine: true })
    expect((await fetch(`${url}/_keyhold/health`, { method: 'HEAD' })).status).toBe(200)
  })
})

describe('A body that is read whole', () => {
  test('may have as many bytes as the limit', async () => {
    const length = async ({ body = '' }: APIGatewayProxyEventV2) => ({ body: String(body.length) })
    const { url } = await givenGateway({ '/kms/Encrypt': length })
    const body = 'x'.repeat(MAX_BODY)
    const answer = await fetch(url, { method: 'POST', headers: encryptHeaders, body })
    expect(await answer.text()).toBe(String(MAX_BODY))
  })

  test.each(['announced', 'in chunks'])('and is larger is refused with 413, %s', async (way) => {
    const { url } = await givenGateway({ '/kms/Encrypt': echo })
    const bytes = Buffer.alloc(3 * MAX_BODY, 'x')
    const body = way === 'announced' ? bytes : new Blob([bytes]).stream()
    const init = { method: 'POST', headers: encryptHeaders, body, duplex: 'half' }
    const answer = await fetch(url, init as RequestInit)
    expect(answer.status).toBe(413)
    expect(await answer.json()).toEqual({ __type: 'RequestEntityTooLargeException' })
    expect((await fetch(`${url}/_keyhold/health`)).status).toBe(200)
  })

  test('is asked for where the client waits to be', async () => {
    const { gateway } = await givenGateway({ '/kms/Encrypt': echo })
    const head = `POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: TrentService.Encrypt\r\n`
    const text = `${head}Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}`
    await expectAnswer(gateway, text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /)
  })
})

describe('A body that is a stream', () => {
  const PUT = 'PUT /b/k HTTP/1.1\r\nHost: h\r\n'
  const refuse: BlobHandler = async (_event, exchange) => {
    exchange.respond({ statusCode: 403, headers: { 'content-length': '0' } }).end()
  }
  const count: BlobHandler = async (_event, exchange) => {
    let length = 0
    for await (const chunk of exchange.body()) length += (chunk as Buffer).length
    exchange.respond({ statusCode: 200, headers: {} }).end(String(length))
  }

  test('is given to the handler as it comes', async () => {
    const { url } = await givenGateway({ '/s3/PutObject': count })
    const body = Buffer.alloc(20_000_000)
    expect(await (await fetch(`${url}/b/k`, { method: 'PUT', body })).text()).toBe('20000000')
  })

  test('is asked for only when the handler wants it', async () => {
    const { gateway } = await givenGateway({ '/s3/PutObject': count })
    const text = `${PUT}Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc`
    await expectAnswer(gateway, text, /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 /)
  })

  test('and is never asked for costs the client nothing but the connection', async () => {
    const { gateway } = await givenGateway({ '/s3/PutObject': refuse })
    const text = `${PUT}Expect: 100-continue\r\nContent-Length: 5000000\r\n\r\n`
    await expectAnswer(gateway, text, /^HTTP\/1.1 403 .*connection: close.*<closed>$/is)
  })

  test.each(['200', ''])(
    'goes on where the client expects %j: 417 is never answered',
    async (expects) => {
      const { gateway } = await givenGateway({ '/s3/PutObject': count })
      const text = `${PUT}Expect: ${expects}\r\nContent-Length: 3\r\n\r\nabc`
      await expectAnswer(gateway, text, /^HTTP\/1.1 200 /)
    },
  )

  test('is drained after a refusal, so that the client reads it and goes on', async () => {
    const { gateway } = await givenGateway({ '/s3/PutObject': refuse, '/kms/Encrypt': echo })
    const first = `${PUT}Content-Length: 3000000\r\n\r\n${'x'.repeat(3_000_000)}`
    const second = `POST / HTTP/1.1\r\nHost: h\r\nX-Amz-Target: TrentService.Encrypt\r\nContent-Length: 0\r\n\r\n`
    await expectAnswer(gateway, first + second, /^HTTP\/1.1 403 .*HTTP\/1.1 200 /s)
  })

  test('can be given up in the middle and the call still be answered', async () => {
    const giveUp: BlobHandler = async (_event, exchange) => {
      for await (const _ of exchange.body()) break
      exchange.respond({ statusCode: 400, headers: {} }).end('enough')
    }
    const { url } = await givenGateway({ '/s3/PutObject': giveUp })
    const body = Buffer.alloc(5_000_000)
    const answer = await fetch(`${url}/b/k`, { method: 'PUT', body })
    expect([answer.status, await answer.text()]).toEqual([400, 'enough'])
  })

  test('fails when the client goes away, and the handler is told', async () => {
    const failed = Promise.withResolvers<unknown>()
    const gone = Promise.withResolvers<void>()
    const wait: BlobHandler = async (_event, exchange) => {
      exchange.signal.addEventListener('abort', () => gone.resolve())
      try {
        for await (const _ of exchange.body());
        failed.resolve(null)
      } catch (error) {
        failed.resolve(error)
        throw error
      }
    }
    const { gateway } = await givenGateway({ '/s3/PutObject': wait })
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write(`${PUT}Content-Length: 10\r\n\r\nabc`)
    await setTimeout(50)
    socket.destroy()
    expect(await failed.promise).toMatchObject({ message: 'The client closed the connection.' })
    await gone.promise
  })
})

describe('An answer that is a stream', () => {
  const GET = 'GET /b/k HTTP/1.1\r\nHost: h\r\n\r\n'

  test('that cannot be finished breaks the connection', async () => {
    const breakOff: BlobHandler = async (_event, exchange) => {
      exchange.respond({ statusCode: 200, headers: { 'content-length': '10' } }).write('half')
      await setTimeout(20)
      exchange.abort(new Error('a tag did not verify'))
      throw new Error('a tag did not verify')
    }
    const { gateway } = await givenGateway({ '/s3/GetObject': breakOff })
    await expectAnswer(gateway, GET, /half<closed>$/)
  })

  test('that the handler forgets breaks the connection', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {})
    const forget: BlobHandler = async (_event, exchange) => {
      exchange.respond({ statusCode: 200, headers: { 'content-length': '10' } }).write('half')
      await setTimeout(20)
    }
    const { gateway } = await givenGateway({ '/s3/GetObject': forget })
    await expectAnswer(gateway, GET, /half<closed>$/)
    told.mockRestore()
  })

  test('cannot be begun twice', async () => {
    const problem = Promise.withResolvers<unknown>()
    const twice: BlobHandler = async (_event, exchange) => {
      exchange.respond({ statusCode: 200, headers: {} }).end('one')
      try {
        exchange.respond({ statusCode: 200, headers: {} })
      } catch (error) {
        problem.resolve(error)
      }
    }
    const { url } = await givenGateway({ '/s3/GetObject': twice })
    expect(await (await fetch(`${url}/b/k`)).text()).toBe('one')
    expect(await problem.promise).toMatchObject({ message: 'The call was answered before.' })
  })

  test('of a HEAD keeps the length and has no body', async () => {
    const head: BlobHandler = async (_event, exchange) => {
      exchange.respond({ statusCode: 200, headers: { 'content-length': '1234' } }).end()
    }
    const { gateway } = await givenGateway({ '/s3/HeadObject': head })
    const twice = 'HEAD /b/k HTTP/1.1\r\nHost: h\r\n\r\n'.repeat(2)
    await expectAnswer(
      gateway,
      twice,
      /content-length: 1234\r\n(?:[^\r\n]+\r\n)*\r\nHTTP\/1.1 200 /,
    )
  })
})

describe('What is not HTTP', () => {
  test.each([
    ['nonsense\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: h\r\nContent-Length: a\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400],
    ['OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n', 400],
    [`GET / HTTP/1.1\r\nHost: h\r\nX: ${'x'.repeat(40_000)}\r\n\r\n`, 431],
  ])('gets a status (%#)', async (text, status) => {
    const { gateway, url } = await givenGateway({})
    await expectAnswer(gateway, text, new RegExp(`^HTTP/1.1 ${status} `))
    expect((await fetch(`${url}/_keyhold/health`)).status).toBe(200)
  })
})

describe('The end', () => {
  test('waits for a call under way, and takes no new one', async () => {
    const open = Promise.withResolvers<void>()
    const slow = async () => {
      await open.promise
      return { body: 'done' }
    }
    const { gateway, url } = await givenGateway({ '/kms/Encrypt': slow })
    const call = fetch(url, { method: 'POST', headers: encryptHeaders, body: '{}' })
    await setTimeout(50)
    const closing = gateway.close(5000)
    await expect(fetch(url)).rejects.toThrow()
    open.resolve()
    expect(await (await call).text()).toBe('done')
    await closing
  })

  test('cuts a call that takes longer than it has patience', async () => {
    const never = () => new Promise(() => {})
    const { gateway, url } = await givenGateway({ '/kms/Encrypt': never })
    const call = fetch(url, { method: 'POST', headers: encryptHeaders, body: '{}' })
    const failed = expect(call).rejects.toThrow()
    await setTimeout(50)
    await gateway.close(50)
    await failed
  })

  test('does not wait for connections that are idle', async () => {
    const { gateway, url } = await givenGateway({})
    await (await fetch(`${url}/_keyhold/health`)).text()
    const socket = connect(gateway.port, '127.0.0.1')
    sockets.push(socket)
    await once(socket, 'connect')
    await gateway.close(60_000)
  })
})
