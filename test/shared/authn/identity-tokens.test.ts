import { createHmac } from 'node:crypto'
import { exportSPKI, type JWTPayload } from 'jose'
import { describe, expect, test } from 'vitest'
import { IdentityTokens, type TokenAnswer } from '../../../shared/authn/identity-tokens.ts'
import { parseIssuers } from '../../../shared/authn/oidc-issuers.ts'
import { claimsOf, forged, givenSigningKey, type SigningKey, tokenOf } from '../../support/oidc.ts'
import { NOW } from './given.ts'

const ISSUER = 'https://oidc.example.com/team'
const SECONDS = NOW / 1000
const key = await givenSigningKey()
const claims = (differs: JWTPayload = {}) => claimsOf(ISSUER, differs, SECONDS)

function givenTokens(
  options: {
    readonly keys?: readonly SigningKey[]
    readonly algorithms?: readonly string[]
    readonly cacheMs?: number
  } = {},
) {
  const jwks = { keys: (options.keys ?? [key]).map(({ jwk }) => jwk) }
  const algorithms = options.algorithms ?? ['RS256', 'ES256']
  const issuers = parseIssuers(
    JSON.stringify([{ issuer: ISSUER, audiences: ['keyhold', 'other'], algorithms, jwks }]),
  )
  const time = { now: NOW }
  const clock = { now: () => time.now }
  return { time, tokens: new IdentityTokens({ issuers, clock, cacheMs: options.cacheMs ?? 0 }) }
}

const verify = (text: string, options: Parameters<typeof givenTokens>[0] = {}) =>
  givenTokens(options).tokens.verify(text)

function faultOf(answer: TokenAnswer) {
  if (answer.ok) throw new Error('The token was taken.')
  return answer.fault
}

describe('a token', () => {
  test('that is good tells whom it speaks of', async () => {
    expect(await verify(await tokenOf(key, claims({ team: 'red' })))).toEqual({
      ok: true,
      token: {
        issuer: expect.objectContaining({ provider: 'oidc.example.com/team' }),
        subject: 'repo:acme/api:ref:refs/heads/main',
        audience: 'keyhold',
        claims: claims({ team: 'red' }),
        expiresAt: NOW + 300_000,
      },
    })
  })

  test.each(['RS256', 'PS384', 'ES256', 'EdDSA'])('may be signed by %s', async (alg) => {
    const other = await givenSigningKey('k', alg)
    const options = { keys: [key, other], algorithms: [alg] }
    expect((await verify(await tokenOf(other, claims()), options)).ok).toBe(true)
  })

  test('may have several audiences, of which one is taken', async () => {
    const answer = await verify(await tokenOf(key, claims({ aud: ['x', 'other'] })))
    expect(answer).toMatchObject({ ok: true, token: { audience: 'other' } })
  })

  test.for([
    ['another audience', { aud: 'x' }, { kind: 'wrong-audience' }],
    ['no audience', { aud: undefined }, { kind: 'missing-claim', claim: 'aud' }],
    ['an empty list of audiences', { aud: [] }, { kind: 'wrong-audience' }],
    ['no subject', { sub: undefined }, { kind: 'missing-claim', claim: 'sub' }],
    ['an empty subject', { sub: '' }, { kind: 'rejected', claim: 'sub' }],
    ['a subject of many lines', { sub: 'a\nb' }, { kind: 'rejected', claim: 'sub' }],
    ['no expiry', { exp: undefined }, { kind: 'missing-claim', claim: 'exp' }],
    ['no time of issue', { iat: undefined }, { kind: 'missing-claim', claim: 'iat' }],
    ['a time of issue to come', { iat: SECONDS + 61 }, { kind: 'rejected', claim: 'iat' }],
    ['a beginning to come', { nbf: SECONDS + 61 }, { kind: 'rejected', claim: 'nbf' }],
    [
      'an expiry that has come',
      { exp: SECONDS - 60 },
      { kind: 'expired', expiredAt: SECONDS - 60, now: SECONDS },
    ],
    ['another issuer', { iss: `${ISSUER}/` }, { kind: 'unknown-issuer', issuer: `${ISSUER}/` }],
    ['no issuer', { iss: undefined }, { kind: 'not-a-token' }],
  ] as const)('with %s is not taken', async ([, differs, fault]) => {
    expect(faultOf(await verify(await tokenOf(key, claims(differs as JWTPayload))))).toEqual(fault)
  })

  test('is taken a minute around the times that it names', async () => {
    for (const differs of [{ exp: SECONDS - 59 }, { iat: SECONDS + 60 }, { nbf: SECONDS + 60 }])
      expect((await verify(await tokenOf(key, claims(differs)))).ok).toBe(true)
  })
})

describe('no signature is taken', () => {
  test('of none', async () => {
    for (const alg of ['none', 'None', 'NONE', ''])
      expect(faultOf(await verify(forged({ alg, kid: 'one' }, claims()))).kind).toMatch(
        /^(?:bad-signature|not-a-token)$/,
      )
  })

  test('by the public key as a secret', async () => {
    const { createPublicKey } = await import('node:crypto')
    const pem = await exportSPKI(
      (await import('jose').then(({ importJWK }) => importJWK(key.jwk, 'RS256'))) as never,
    )
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' })
    for (const secret of [pem, der, JSON.stringify(key.jwk)]) {
      const unsigned = forged({ alg: 'HS256', kid: 'one' }, claims()).slice(0, -1)
      const mac = createHmac('sha256', secret).update(unsigned).digest('base64url')
      expect(faultOf(await verify(`${unsigned}.${mac}`))).toEqual({ kind: 'bad-signature' })
    }
  })

  test('by an algorithm that the configuration does not allow', async () => {
    const other = await givenSigningKey('es', 'ES384')
    const answer = await verify(await tokenOf(other, claims()), { keys: [key, other] })
    expect(faultOf(answer)).toEqual({ kind: 'bad-signature' })
  })

  test('by a key that the token brings along', async () => {
    const own = await givenSigningKey('one')
    for (const header of [
      { jwk: own.jwk },
      { jku: 'https://evil.example/jwks' },
      { x5u: 'https://e' },
    ])
      expect(faultOf(await verify(await tokenOf(own, claims(), header)))).toEqual({
        kind: 'bad-signature',
      })
  })

  test('by a key of that id that is another', async () => {
    const own = await givenSigningKey('one')
    expect(faultOf(await verify(await tokenOf(own, claims())))).toEqual({ kind: 'bad-signature' })
  })

  test('by a key that nobody knows', async () => {
    const own = await givenSigningKey('two')
    expect(faultOf(await verify(await tokenOf(own, claims())))).toEqual({ kind: 'unknown-key' })
  })

  test('over other claims', async () => {
    const [header, , signature] = (await tokenOf(key, claims())).split('.')
    const other = Buffer.from(JSON.stringify(claims({ sub: 'root' }))).toString('base64url')
    expect(faultOf(await verify(`${header}.${other}.${signature}`))).toEqual({
      kind: 'bad-signature',
    })
  })

  test('with a critical header that is not known', async () => {
    const text = forged({ alg: 'RS256', kid: 'one', crit: ['x'], x: 1 }, claims(), 'AAAA')
    expect(faultOf(await verify(text)).kind).toMatch(/^(?:bad-signature|not-a-token)$/)
  })

  test('and claims are not looked at before it is right', async () => {
    const own = await givenSigningKey('one')
    const expired = await tokenOf(own, claims({ exp: 1, aud: 'x' }))
    expect(faultOf(await verify(expired))).toEqual({ kind: 'bad-signature' })
  })
})

test.each(['', 'x', '..', 'a.b.c', '{}', 'e30.e30.', 'x'.repeat(20_001)])(
  'what is no token is none: %s',
  async (text) => expect(faultOf(await verify(text))).toEqual({ kind: 'not-a-token' }),
)

test('a token that is longer than any may be is not read', async () => {
  const long = await tokenOf(key, claims({ filler: 'x'.repeat(20_000) }))
  expect(faultOf(await verify(long))).toEqual({ kind: 'not-a-token' })
})

test('what was verified is not good for longer than it is', async () => {
  const { tokens, time } = givenTokens({ cacheMs: 3_600_000 })
  const text = await tokenOf(key, claims())
  expect((await tokens.verify(text)).ok).toBe(true)
  time.now = NOW + 361_000
  expect(faultOf(await tokens.verify(text)).kind).toBe('expired')
})
