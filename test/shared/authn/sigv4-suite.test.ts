import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { isSignedWith } from '../../../shared/authn/authenticate.ts'
import { canonicalRequest } from '../../../shared/authn/canonical-request.ts'
import { type Claim, readClaim } from '../../../shared/authn/claim.ts'
import { Refusal } from '../../../shared/authn/failure.ts'
import type { SignedRequest } from '../../../shared/authn/request.ts'
import type { ServiceRules } from '../../../shared/authn/service-rules.ts'
import { deriveSigningKey } from '../../../shared/authn/signing-key.ts'
import { region, withHeaders } from './given.ts'

interface Context {
  readonly credentials: { readonly secret_access_key: string }
  readonly normalize: boolean
  readonly region: string
  readonly service: string
  readonly timestamp: string
}

const suite = new URL('../../vectors/sigv4/', import.meta.url)
const cases = readdirSync(suite)
const vias = ['header', 'query'] as const
type Via = (typeof vias)[number]

const read = (name: string, file: string): string =>
  readFileSync(new URL(`${name}/${file}`, suite), 'utf8')

const contextOf = (name: string): Context => JSON.parse(read(name, 'context.json'))

const rulesOf = (context: Context): ServiceRules => ({
  name: context.service,
  windowMs: 300_000,
  path: context.normalize ? 'normalized' : 'verbatim',
  presigned: true,
  payload: 'body',
})

interface Received {
  readonly request: SignedRequest
  readonly body: Buffer
}

function givenRequest(name: string, via: Via): Received {
  const text = read(name, `${via}-signed-request.txt`)
  const [head = '', body = ''] = text.split(/\n\n(.*)/s)
  const [first = '', ...lines] = head.replaceAll(/\n[ \t]+/g, '\r ').split('\n')
  const [, method = '', target = ''] = /^(\S+) (.*) HTTP\/1.1$/.exec(first) ?? []
  const [path = '', query = ''] = target.split(/\?(.*)/)
  const headers = new Map<string, string[]>()
  for (const line of lines) {
    const [, header = '', value = ''] = /^([^:]+):(.*)$/s.exec(line) ?? []
    const lowerCase = header.toLowerCase()
    headers.set(lowerCase, [...(headers.get(lowerCase) ?? []), value])
  }
  return { request: { method, path, query, headers }, body: Buffer.from(body.trimEnd()) }
}

const claimOf = (name: string, { request, body }: Received): Claim | Refusal => {
  const context = contextOf(name)
  return readClaim(request, body, {
    rules: rulesOf(context),
    regions: [region(context.region)],
    hosts: [],
    now: Date.parse(context.timestamp),
  })
}

function isAuthentic(name: string, received: Received): boolean {
  const claim = claimOf(name, received)
  if (claim instanceof Refusal) return false
  const secret = Buffer.from(contextOf(name).credentials.secret_access_key)
  return isSignedWith(deriveSigningKey(secret, claim.credential), claim)
}

// Its session token was added after signing, which KMS and S3 do not allow.
const UNCOVERED = 'post-sts-header-after'
const covered = cases.filter((name) => name !== UNCOVERED)

describe.each(vias)("AWS's test suite, signed in the %s", (via) => {
  test.each(covered)('%s is verified', (name) => {
    const received = givenRequest(name, via)
    expect(isAuthentic(name, received)).toBe(true)
  })

  test.each(covered)('%s has the published canonical request and string to sign', (name) => {
    const { request, body } = givenRequest(name, via)
    const claim = claimOf(name, { request, body })
    if (claim instanceof Refusal) throw new Error(claim.failure.kind)
    const { presented, payload } = claim
    const canonical = canonicalRequest(request, {
      path: rulesOf(contextOf(name)).path,
      parameters: presented.parameters,
      presigned: via === 'query',
      signedHeaders: presented.signedHeaders,
      payload: payload.text,
    })
    expect(canonical).toBe(read(name, `${via}-canonical-request.txt`))
    expect(claim.stringToSign).toBe(read(name, `${via}-string-to-sign.txt`))
    expect(presented.signature).toBe(read(name, `${via}-signature.txt`))
  })

  test.each(covered)('%s is refused once any part of it is changed', (name) => {
    const received = givenRequest(name, via)
    for (const [change, spoiled] of mutations(received)) {
      expect.soft(isAuthentic(name, spoiled), change).toBe(false)
    }
  })

  test(`${UNCOVERED} is refused, because its session token is not signed`, () => {
    expect(isAuthentic(UNCOVERED, givenRequest(UNCOVERED, via))).toBe(false)
  })
})

test('the suite is there, whole', () => {
  expect(cases).toHaveLength(38)
})

/** One changed thing at a time. */
function* mutations({ request, body }: Received): Generator<[string, Received]> {
  const as = (changes: Partial<SignedRequest>): Received => ({
    request: { ...request, ...changes },
    body,
  })
  yield ['method', as({ method: 'PUT' })]
  yield ['path', as({ path: `${request.path.replace(/\/$/, '')}/more` })]
  yield ['query', as({ query: `${request.query}&more=1` })]
  yield ['body', { request, body: Buffer.concat([body, Buffer.from('more')]) }]
  const { query } = request
  for (const part of query.split('&').filter((part) => part !== '')) {
    yield [`without ${part}`, as({ query: query.replace(part, '') })]
    yield [`changed ${part}`, as({ query: query.replace(part, `${part}0`) })]
    yield [`twice ${part}`, as({ query: `${query}&${part}` })]
  }
  const authorization = request.headers.get('authorization')?.[0] ?? ''
  const signedHeaders = /SignedHeaders=([^,]*)/.exec(authorization)?.[1]?.split(';') ?? ['host']
  for (const [header, values] of request.headers) {
    if (header !== 'authorization' && !signedHeaders.includes(header)) continue
    const changed = [...values.slice(0, -1), `${values.at(-1)}0`]
    yield [`without ${header}`, { request: withHeaders(request, { [header]: null }), body }]
    yield [`changed ${header}`, { request: withHeaders(request, { [header]: changed }), body }]
    const twice = [...values, ...values]
    yield [`twice ${header}`, { request: withHeaders(request, { [header]: twice }), body }]
  }
  yield ['x-amz header', { request: withHeaders(request, { 'x-amz-more': '1' }), body }]
}
