import { afterAll, expect, test } from 'vitest'
import { IdentityTokens } from '../../../shared/authn/identity-tokens.ts'
import { parseIssuers } from '../../../shared/authn/oidc-issuers.ts'
import {
  claimsOf,
  type GivenIssuer,
  givenIssuer,
  givenSigningKey,
  tokenOf,
} from '../../support/oidc.ts'
import { NOW } from './given.ts'

const [first, second] = [await givenSigningKey('one'), await givenSigningKey('two')]
const issuer: GivenIssuer = await givenIssuer()
afterAll(() => issuer.close())

/** Tokens of an issuer whose keys are fetched: over HTTP, or by what the test gives. */
function givenTokens(fetchText?: () => Promise<string>) {
  issuer.keys = [first]
  issuer.asked = 0
  const time = { now: NOW }
  const setting = [{ issuer: issuer.url, audiences: 'keyhold', jwksUrl: issuer.jwksUrl }]
  const tokens = new IdentityTokens({
    issuers: parseIssuers(JSON.stringify(setting)),
    clock: { now: () => time.now },
    cacheMs: 0,
    ...(fetchText === undefined ? {} : { fetchText }),
  })
  const verify = async (key = first) => {
    const text = await tokenOf(key, claimsOf(issuer.url, {}, Math.floor(time.now / 1000)))
    const answer = await tokens.verify(text)
    return answer.ok ? 'taken' : answer.fault.kind
  }
  return { time, verify }
}

test('keys are fetched once, by all who need them at the same time', async () => {
  const { verify } = givenTokens()
  expect(await Promise.all([verify(), verify(), verify()])).toEqual(['taken', 'taken', 'taken'])
  expect(await verify()).toBe('taken')
  expect(issuer.asked).toBe(1)
})

test('a key that is new is taken half a minute after the last fetch', async () => {
  const { verify, time } = givenTokens()
  await verify()
  issuer.keys = [first, second]
  expect(await verify(second)).toBe('unknown-key')
  expect(issuer.asked).toBe(1)
  time.now += 30_000
  expect(await verify(second)).toBe('taken')
  expect(issuer.asked).toBe(2)
})

test('a key that is withdrawn is taken for ten minutes at most', async () => {
  const { verify, time } = givenTokens()
  await verify()
  issuer.keys = [second]
  time.now += 599_999
  expect(await verify()).toBe('taken')
  time.now += 1
  expect(await verify()).toBe('unknown-key')
})

test('tokens with unknown keys make the issuer be asked now and then only', async () => {
  const { verify, time } = givenTokens()
  for (let i = 0; i < 20; i++) expect(await verify(second)).toBe('unknown-key')
  expect(issuer.asked).toBe(1)
  time.now += 30_000
  for (let i = 0; i < 20; i++) await verify(second)
  expect(issuer.asked).toBe(2)
})

test('while the issuer cannot be reached, keys that are known are taken for an hour', async () => {
  let works = true
  const keys = JSON.stringify({ keys: [first.jwk] })
  const { verify, time } = givenTokens(async () => {
    if (!works) throw new Error('No route.')
    return keys
  })
  expect(await verify()).toBe('taken')
  works = false
  time.now += 600_000
  expect(await verify()).toBe('taken')
  time.now += 3_000_000
  expect(await verify()).toBe('issuer-unreachable')
  works = true
  expect(await verify()).toBe('issuer-unreachable') // it failed just now
  time.now += 5000
  expect(await verify()).toBe('taken')
})

test.each([
  ['no JSON', '<html>'],
  ['no list', '{}'],
  ['a secret key', JSON.stringify({ keys: [{ kty: 'oct', k: 'AAAA', kid: 'one' }] })],
  ['a private key', JSON.stringify({ keys: [{ ...first.jwk, d: 'AAAA' }] })],
])('an issuer that publishes %s publishes no keys', async (_what, text) => {
  const { verify } = givenTokens(async () => text)
  expect(await verify()).toBe('issuer-unreachable')
})

test.each([
  ['redirects', 302, { location: 'https://evil.example/' }, ''],
  ['fails', 500, {}, ''],
  ['sends too much', 200, {}, 'x'.repeat(300_000)],
] as const)('an issuer that %s gives no keys', async (_what, status, headers, body) => {
  const { createServer } = await import('node:http')
  const server = createServer((_request, response) => {
    response.writeHead(status, headers)
    response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const jwksUrl = `http://127.0.0.1:${port}/`
  const setting = [{ issuer: issuer.url, audiences: 'keyhold', jwksUrl }]
  const tokens = new IdentityTokens({
    issuers: parseIssuers(JSON.stringify(setting)),
    clock: { now: () => NOW },
    cacheMs: 0,
  })
  const answer = await tokens.verify(await tokenOf(first, claimsOf(issuer.url, {}, NOW / 1000)))
  expect(answer).toMatchObject({ ok: false, fault: { kind: 'issuer-unreachable' } })
  server.closeAllConnections()
  server.close()
})
