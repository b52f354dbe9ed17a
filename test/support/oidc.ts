/** An identity provider: signs whatever it is told to, with keys that it changes. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CryptoKey, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

export interface SigningKey {
  readonly kid: string
  readonly alg: string
  readonly privateKey: CryptoKey
  readonly jwk: Readonly<Record<string, unknown>>
}

export async function givenSigningKey(kid = 'one', alg = 'RS256'): Promise<SigningKey> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  return { kid, alg, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } }
}

/** Claims that are good now, but for what differs; `undefined` leaves one out. */
export function claimsOf(
  issuer: string,
  differs: JWTPayload = {},
  now = Math.floor(Date.now() / 1000),
): JWTPayload {
  const claims: JWTPayload = {
    iss: issuer,
    sub: 'repo:acme/api:ref:refs/heads/main',
    aud: 'keyhold',
    iat: now,
    exp: now + 300,
    ...differs,
  }
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined))
}

/** A signed token. @param header - what is other than the key says */
export const tokenOf = (
  key: SigningKey,
  claims: JWTPayload,
  header: Readonly<Record<string, unknown>> = {},
): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...header })
    .sign(key.privateKey)

const base64url = (value: object): string =>
  Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token that no library makes. */
export const forged = (header: object, claims: object, signature = ''): string =>
  `${base64url(header)}.${base64url(claims)}.${signature}`

export interface GivenIssuer {
  readonly url: string
  readonly jwksUrl: string
  /** What it publishes; a test changes it. */
  keys: readonly SigningKey[]
  /** How often it was asked. */
  asked: number
  close(): Promise<void>
}

/** An issuer that publishes its keys over HTTP. */
export async function givenIssuer(): Promise<GivenIssuer> {
  const server: Server = createServer((_request, response) => {
    issuer.asked += 1
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ keys: issuer.keys.map(({ jwk }) => jwk) }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/team`
  const issuer: GivenIssuer = {
    url,
    jwksUrl: `${url}/jwks`,
    keys: [await givenSigningKey()],
    asked: 0,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
  return issuer
}
