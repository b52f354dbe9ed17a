import { request as httpRequest } from 'node:http'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { addDuration } from '../../../infra/local/duration.ts'
import { type Gateway, startGateway } from '../../../infra/local/gateway.ts'
import { TooFar } from '../../../infra/local/local-clock.ts'
import { routeTable } from '../../../infra/local/routes.ts'
import type { TestControls } from '../../../infra/local/test-endpoints.ts'
import { StillInside } from '../../../infra/local/turnstile.ts'

const NOW = Date.UTC(2026, 10, 23, 12)

const running: Gateway[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map((gateway) => gateway.close(0)))
})

/** Controls that note what they are told to do. */
function givenControls(differs: Partial<TestControls> = {}) {
  const did: unknown[] = []
  const controls: TestControls = {
    now: () => NOW,
    offset: () => 0,
    async moveTo(time) {
      did.push(['to', new Date(time).toISOString()])
      return [{ at: NOW, handler: 'functions/schedule/x.handler', result: { done: 1 } }]
    },
    async moveBy(duration) {
      did.push(['by', new Date(addDuration(NOW, duration)).toISOString()])
      return []
    },
    async resetClock() {
      did.push('clock')
    },
    async reset() {
      did.push('reset')
    },
    ...differs,
  }
  return { controls, did }
}

async function givenGateway(controls: TestControls | null, ready = true) {
  const gateway = await startGateway({
    host: '127.0.0.1',
    port: 0,
    routes: routeTable([{ method: 'ANY', path: '/s3/{operation}', handler: 's3', streams: false }]),
    load: async () => async () => ({ statusCode: 200, body: 'an object' }),
    health: () => ({ ready, parts: {} }),
    tests: () => controls,
  })
  running.push(gateway)
  return gateway
}

interface Sent {
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** By Node's own client, which sends any header that it is told to. */
function send(
  { port }: Gateway,
  path: string,
  { method = 'POST', body = '', headers = {} }: Sent = {},
) {
  return new Promise<{ status: number; body: string; allow: string | undefined }>(
    (resolve, reject) => {
      const request = httpRequest({ host: '127.0.0.1', port, path, method, headers })
      request.on('error', reject)
      request.on('response', (response) => {
        text(response).then((answer) => {
          const { statusCode = 0, headers: given } = response
          resolve({ status: statusCode, body: answer, allow: given.allow })
        }, reject)
      })
      request.end(body)
    },
  )
}

describe('The endpoints', () => {
  test('tell the time', async () => {
    const gateway = await givenGateway(givenControls().controls)
    const { status, body } = await send(gateway, '/_keyhold/clock', { method: 'GET' })
    expect([status, JSON.parse(body)]).toEqual([
      200,
      { now: '2026-11-23T12:00:00.000Z', offsetSeconds: 0 },
    ])
  })

  test.each([
    [{ now: '2027-01-31T12:00:00Z' }, ['to', '2027-01-31T12:00:00.000Z']],
    [{ now: '2027-01-31T12:00:00.5+01:00' }, ['to', '2027-01-31T11:00:00.500Z']],
    [{ now: '2027-01-31' }, ['to', '2027-01-31T00:00:00.000Z']],
    [{ advance: 'P1Y' }, ['by', '2027-11-23T12:00:00.000Z']],
    [{ advance: '30d' }, ['by', '2026-12-23T12:00:00.000Z']],
    [{ advance: 90 }, ['by', '2026-11-23T12:01:30.000Z']],
    [{ advance: -0.5 }, ['by', '2026-11-23T11:59:59.500Z']],
    [{ reset: true }, 'clock'],
  ])('move the clock by %j', async (body, expected) => {
    const { controls, did } = givenControls()
    const gateway = await givenGateway(controls)
    const answer = await send(gateway, '/_keyhold/clock', { body: JSON.stringify(body) })
    expect([answer.status, did]).toEqual([200, [expected]])
  })

  test('say what a move did', async () => {
    const gateway = await givenGateway(givenControls().controls)
    const { body } = await send(gateway, '/_keyhold/clock', {
      body: '{"now":"2027-01-01T00:00:00Z"}',
    })
    expect(JSON.parse(body).done).toEqual([
      { at: '2026-11-23T12:00:00.000Z', function: 'functions/schedule/x', result: { done: 1 } },
    ])
  })

  test.each([
    '',
    '{}',
    '[]',
    'null',
    '7',
    '"P1Y"',
    'no JSON',
    '{"now":"tomorrow"}',
    '{"now":7}',
    '{"now":"2027-01-31T12:00:00"}',
    '{"now":"2027-13-01T00:00:00Z"}',
    '{"now":"2027-02-30T00:00:00Z"}',
    '{"advance":"a year"}',
    '{"advance":null}',
    '{"reset":false}',
    '{"now":"2027-01-31","reset":true}',
    '{"later":"P1Y"}',
  ])('refuse to move the clock by %s', async (body) => {
    const { controls, did } = givenControls()
    const gateway = await givenGateway(controls)
    const answer = await send(gateway, '/_keyhold/clock', { body })
    expect([answer.status, did]).toEqual([400, []])
    expect(JSON.parse(answer.body).message).toContain('"advance"')
  })

  test.each([
    '{"advance":"P99999999Y"}',
    '{"advance":1e300}',
    '{"advance":"-P100Y"}',
    '{"now":"1969-12-31T00:00:00Z"}',
  ])('say how far the clock goes: %s', async (body) => {
    const { controls, did } = givenControls()
    const gateway = await givenGateway(controls)
    const answer = await send(gateway, '/_keyhold/clock', { body })
    expect([answer.status, did]).toEqual([400, []])
    expect(JSON.parse(answer.body).message).toBe(
      'The clock goes from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z.',
    )
  })

  test.each(['/_keyhold/reset', '/moto-api/reset'])(
    'reset by POST %s, as moto answers',
    async (path) => {
      const { controls, did } = givenControls()
      const answer = await send(await givenGateway(controls), path)
      expect([answer.status, JSON.parse(answer.body), did]).toEqual([
        200,
        { status: 'ok' },
        ['reset'],
      ])
    },
  )

  test.each([
    [new TooFar('Too far.'), 409, 'Too far. The clock stands there.'],
    [new StillInside('A call has not ended in time.'), 503, 'A call has not ended in time.'],
  ])('say why they did not: %s', async (error, status, message) => {
    const fail = () => Promise.reject(error)
    const gateway = await givenGateway(givenControls({ reset: fail }).controls)
    const answer = await send(gateway, '/_keyhold/reset')
    expect([answer.status, JSON.parse(answer.body)]).toEqual([status, { message }])
  })

  test('answer 405 to another method and 404 to another name', async () => {
    const { controls, did } = givenControls()
    const gateway = await givenGateway(controls)
    const wrong = await send(gateway, '/_keyhold/reset', { method: 'GET' })
    expect([wrong.status, wrong.allow]).toEqual([405, 'POST'])
    expect((await send(gateway, '/_keyhold/toString')).status).toBe(404)
    expect(did).toEqual([])
  })
})

describe('Nothing is done', () => {
  const refused = async (sent: Sent, path = '/_keyhold/reset') => {
    const { controls, did } = givenControls()
    const answer = await send(await givenGateway(controls), path, sent)
    expect(did).toEqual([])
    return answer
  }

  test.each([
    ['with the host of a page that was made to lead here', { host: 'evil.example:4566' }],
    ['for a page', { origin: 'https://evil.example' }],
    ['for a page without a name', { origin: 'null' }],
    ['for a page of the same site', { 'sec-fetch-site': 'same-origin' }],
    ['for whoever is behind a proxy', { 'x-forwarded-for': '203.0.113.9' }],
    ['for whoever is behind a proxy that is named', { forwarded: 'for=203.0.113.9' }],
  ])('%s', async (_, headers) => {
    for (const path of ['/_keyhold/reset', '/moto-api/reset', '/_keyhold/clock']) {
      const answer = await refused({ headers, body: '{"advance":"P1Y"}' }, path)
      expect([path, answer.status]).toEqual([path, 403])
      expect(JSON.parse(answer.body).message).toMatch(/^This endpoint takes requests only /)
    }
  })

  test('where there are no such endpoints', async () => {
    const gateway = await givenGateway(null)
    const answer = await send(gateway, '/_keyhold/reset')
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      404,
      { message: 'This stack has no endpoints for tests.' },
    ])
  })

  test('before the stack is ready', async () => {
    const { controls, did } = givenControls()
    const answer = await send(await givenGateway(controls, false), '/_keyhold/reset')
    expect([answer.status, did]).toEqual([503, []])
  })

  test('with a body that is too large', async () => {
    const answer = await refused({ body: ' '.repeat(5000) })
    expect(answer.status).toBe(413)
  })
})

test('A bucket may be called moto-api', async () => {
  const { controls, did } = givenControls()
  const gateway = await givenGateway(controls)
  for (const sent of [{ method: 'GET' }, { method: 'PUT' }]) {
    expect((await send(gateway, '/moto-api/reset', sent)).body).toBe('an object')
  }
  expect((await send(gateway, '/moto-api/reset?uploads')).body).toBe('an object')
  expect(did).toEqual([])
  expect((await send(await givenGateway(null), '/moto-api/reset?uploads')).body).toBe('an object')
})
