/**
 * The identity providers whose tokens are taken, as the operator configures them. What a token says
 * of itself never adds to what stands here: neither an algorithm, nor a key, nor where keys are
 * (RFC 8725, "JSON Web Token Best Current Practices").
 */
import { AWS_PROVIDER } from './aws-callers.ts'
import { splitRoleArn } from './role-arn.ts'
import { isObject, type Json, readSettingList } from './setting.ts'

export interface PublicJwks {
  readonly keys: readonly Readonly<Record<string, unknown>>[]
}

/** Who may come with a bearer token as which role: all of the claims must be there. */
export interface BearerRole {
  /** Claim → the values of which one must be there. */
  readonly claims: Readonly<Record<string, readonly string[]>>
  readonly roleArn: string
}

export interface OidcIssuer {
  /** `iss`, exactly. */
  readonly issuer: string
  /** The issuer without its scheme, as policies name it: `oidc.example.com/team`. */
  readonly provider: string
  readonly audiences: readonly string[]
  readonly algorithms: readonly string[]
  readonly keys:
    | { readonly kind: 'pinned'; readonly jwks: PublicJwks }
    | { readonly kind: 'fetched'; readonly url: string }
  /** In the order in which they are tried; the first that fits is it. */
  readonly roles: readonly BearerRole[]
}

const SETTING = 'KEYHOLD_OIDC_ISSUERS'
/** Signatures that are verified by public keys; no other kind is ever taken. */
const ALGORITHMS: ReadonlySet<string> = new Set([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
])
const STANDARD_ALGORITHMS = ['RS256']
const MEMBERS = ['issuer', 'audiences', 'algorithms', 'jwks', 'jwksUrl', 'roles']

/**
 * @param setting - `KEYHOLD_OIDC_ISSUERS`: a JSON list, or the path of a file with one; may be empty
 * @throws RangeError with a sentence for whoever set it
 */
export function parseIssuers(setting: string): readonly OidcIssuer[] {
  const list = readSettingList(SETTING, setting)
  const issuers = list.map((entry: unknown) => parseIssuer(requireObject(entry, 'An issuer')))
  const providers = new Set(issuers.map(({ provider }) => provider))
  if (providers.size < issuers.length) throw wrong('names an issuer twice')
  return issuers
}

function parseIssuer(entry: Json): OidcIssuer {
  const unknown = Object.keys(entry).find((name) => !MEMBERS.includes(name))
  if (unknown !== undefined) throw wrong(`has a member that is not known: ${unknown}`)
  const issuer = requireUrl(entry.issuer, 'issuer')
  const provider = issuer.replace(/^https?:\/\//, '')
  if (provider === AWS_PROVIDER)
    throw wrong(`names ${AWS_PROVIDER}, which stands for callers of AWS`)
  const algorithms = textsOf(entry.algorithms ?? STANDARD_ALGORITHMS, 'algorithms')
  const refused = algorithms.find((algorithm) => !ALGORITHMS.has(algorithm))
  if (refused !== undefined) throw wrong(`allows an algorithm that is never taken: ${refused}`)
  return {
    issuer,
    provider,
    audiences: textsOf(entry.audiences, 'audiences'),
    algorithms,
    keys: keysOf(entry),
    roles: rolesOf(entry.roles ?? []),
  }
}

function keysOf({ jwks, jwksUrl }: Json): OidcIssuer['keys'] {
  if ((jwks === undefined) === (jwksUrl === undefined)) {
    throw wrong('must have either jwks or jwksUrl for each issuer')
  }
  if (jwksUrl !== undefined) return { kind: 'fetched', url: requireUrl(jwksUrl, 'jwksUrl') }
  const pinned = publicJwks(jwks)
  if (pinned === null) throw wrong('has jwks that are no list of public keys')
  return { kind: 'pinned', jwks: pinned }
}

/** @returns the keys; `null` when it is no list of keys, or one of them is secret */
export function publicJwks(value: unknown): PublicJwks | null {
  const keys = isObject(value) ? value.keys : undefined
  if (!Array.isArray(keys) || keys.length > 100) return null
  const isPublic = (key: unknown): boolean =>
    isObject(key) && key.kty !== 'oct' && !('d' in key) && !('k' in key)
  return keys.every(isPublic) ? { keys: keys as PublicJwks['keys'] } : null
}

function rolesOf(value: unknown): readonly BearerRole[] {
  if (!Array.isArray(value)) throw wrong('has roles that are no list')
  return value.map((entry: unknown) => {
    const { role, claims } = requireObject(entry, 'A role')
    if (typeof role !== 'string' || splitRoleArn(role) === null) {
      throw wrong(`maps to what is not the ARN of a role: ${JSON.stringify(role)}`)
    }
    const conditions = Object.entries(requireObject(claims, 'The claims of a role'))
    // Without any, everyone whom the issuer knows would be that role.
    if (conditions.length === 0) throw wrong(`asks for no claim of those who are ${role}`)
    const texts = conditions.map(([name, given]) => [name, textsOf(given, name)] as const)
    return { roleArn: role, claims: Object.fromEntries(texts) }
  })
}

/** A text, or a list of them that is not empty. */
function textsOf(value: unknown, name: string): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0 || !list.every((text) => typeof text === 'string' && text !== '')) {
    throw wrong(`must have texts as ${name}`)
  }
  return list as readonly string[]
}

/** By TLS, or on this machine. */
function requireUrl(value: unknown, name: string): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : null
  const isLocal =
    url?.protocol === 'http:' && /^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)
  const isPlain = url !== null && url.username === '' && url.search === '' && url.hash === ''
  if (url === null || !isPlain || (url.protocol !== 'https:' && !isLocal)) {
    throw wrong(`has an ${name} that is no https URL: ${JSON.stringify(value)}`)
  }
  return value as string
}

function requireObject(value: unknown, what: string): Json {
  if (!isObject(value)) throw wrong(`is wrong: ${what} must be an object`)
  return value
}

const wrong = (what: string): RangeError => new RangeError(`${SETTING} ${what}.`)
