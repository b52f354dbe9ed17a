/** Requests as clients sign them, and an authenticator that knows one user. */
import { createHash, createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SignatureV4 } from '@smithy/signature-v4'
import { onTestFinished } from 'vitest'
import { Authenticator } from '../../../shared/authn/authenticate.ts'
import type { SignedRequest } from '../../../shared/authn/request.ts'
import { Sessions } from '../../../shared/authn/sessions.ts'
import { createSoftwareHsm } from '../../../shared/hsm/software.ts'
import { parseAccountId, parseRegion, type Region } from '../../../shared/ids.ts'
import type { TenantRepository } from '../../../shared/store/repositories.ts'
import { AccessKeys } from '../../../shared/tenants/access-keys.ts'
import { bootstrap } from '../../../shared/tenants/bootstrap.ts'
import { SessionTokens } from '../../../shared/tenants/session-tokens.ts'
import { TenantKeys } from '../../../shared/tenants/tenant-keys.ts'
import { givenTenants } from '../../support/memory-tenants.ts'

/** @returns the value; for tests, where its absence is a mistake of the test */
export function given<Value>(value: Value | null | undefined): Value {
  if (value === null || value === undefined) throw new Error('The test is given nothing.')
  return value
}

export const region = (name: string): Region => given(parseRegion(name))
export const REGION = region('eu-central-1')
export const ACCOUNT = given(parseAccountId('111122223333'))
export const NOW = Date.UTC(2026, 10, 23, 10, 15, 0)

/** Access keys over a software root key in a directory that goes with the test. */
export async function givenAccessKeys(
  options: { readonly cacheMs?: number; readonly tenants?: TenantRepository } = {},
) {
  const directory = await mkdtemp(join(tmpdir(), 'keyhold-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const hsm = await createSoftwareHsm(join(directory, 'root-key'))
  const time = { now: NOW }
  const clock = { now: () => time.now }
  const tenants = options.tenants ?? givenTenants()
  const tenantKeys = new TenantKeys({ tenants, hsm, clock })
  const cacheMs = options.cacheMs ?? 0
  const accessKeys = new AccessKeys({ tenants, tenantKeys, clock, cacheMs })
  const tokens = new SessionTokens(tenantKeys)
  const managedPolicies = async () => []
  const sessions = new Sessions({ tokens, accessKeys, managedPolicies, clock, cacheMs })
  return { tenants, tenantKeys, accessKeys, tokens, sessions, clock, time, hsm }
}

/** An authenticator whose one tenant has the user `admin`, and that user's credentials. */
export async function givenAuthenticator(
  options: {
    readonly cacheMs?: number
    readonly hosts?: readonly string[]
    readonly regions?: readonly Region[]
    readonly tenants?: TenantRepository
  } = {},
) {
  const stack = await givenAccessKeys(options)
  const administrator = await bootstrap({ ...stack, account: ACCOUNT })
  const authenticator = new Authenticator({
    accessKeys: stack.accessKeys,
    sessions: stack.sessions,
    clock: stack.clock,
    regions: options.regions ?? [REGION],
    ...(options.hosts ? { hosts: options.hosts } : {}),
  })
  const credentials = {
    accessKeyId: administrator.accessKeyId as string,
    secretAccessKey: administrator.secretAccessKey,
  }
  return { ...stack, administrator, authenticator, credentials }
}

export interface Signing {
  readonly credentials: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  readonly service?: string
  readonly region?: string
  readonly now?: number
}

export interface Unsigned {
  readonly method?: string
  /** Percent-encoded. */
  readonly path?: string
  /** Not encoded. */
  readonly query?: Readonly<Record<string, string | string[]>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
}

/** What the SDK's own signer makes of a request, as it arrives. */
export async function signed(unsigned: Unsigned, signing: Signing): Promise<SignedRequest> {
  const request = toSmithy(unsigned)
  const { headers } = await signer(signing).sign(request, {
    signingDate: new Date(signing.now ?? NOW),
  })
  return received({ ...request, headers })
}

/** The same for a presigned URL. */
export async function presigned(
  unsigned: Unsigned,
  signing: Signing,
  expiresIn = 60,
): Promise<SignedRequest> {
  // As the SDK's presigner for S3 does; it ends up in the query.
  const payload = signing.service === 's3' ? { 'X-Amz-Content-Sha256': 'UNSIGNED-PAYLOAD' } : {}
  const request = toSmithy({ ...unsigned, headers: { ...payload, ...unsigned.headers } })
  const { query, headers } = await signer(signing).presign(request, {
    signingDate: new Date(signing.now ?? NOW),
    expiresIn,
  })
  return received({ ...request, query: query ?? {}, headers })
}

const toSmithy = (unsigned: Unsigned) => ({
  method: unsigned.method ?? 'POST',
  protocol: 'https:',
  hostname: 'kms.example.com',
  path: unsigned.path ?? '/',
  query: { ...unsigned.query } as Record<string, string | string[] | null>,
  headers: { host: 'kms.example.com', ...unsigned.headers },
  body: unsigned.body,
})

const signer = ({ credentials, service = 'kms', region: name = REGION }: Signing) =>
  new SignatureV4({
    credentials,
    region: name,
    service,
    sha256: Sha256,
    uriEscapePath: service !== 's3',
    applyChecksum: service === 's3',
  })

/** @returns the request with headers by lower-case name and the query as text */
export const received = (request: {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string | string[] | null>>
  readonly headers: Readonly<Record<string, string>>
}): SignedRequest => ({
  method: request.method,
  path: request.path,
  query: queryText(request.query),
  headers: new Map(
    Object.entries(request.headers).map(([name, value]) => [name.toLowerCase(), [value]]),
  ),
})

const queryText = (query: Readonly<Record<string, string | string[] | null>>): string =>
  Object.entries(query)
    .flatMap(([name, value]) => [value ?? ''].flat().map((one) => [name, one] as const))
    .map((pair) => pair.map(encodeURIComponent).join('='))
    .join('&')

/** @returns the request with some headers set, or removed where the value is `null` */
export function withHeaders(
  request: SignedRequest,
  changes: Readonly<Record<string, readonly string[] | string | null>>,
): SignedRequest {
  const headers = new Map(request.headers)
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) headers.delete(name)
    else headers.set(name, [value].flat())
  }
  return { ...request, headers }
}

/** A hash as the signer wants one. */
class Sha256 {
  readonly #hash

  constructor(secret?: unknown) {
    const key = secret as Uint8Array | string | undefined
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }

  update(data: Uint8Array | string): void {
    this.#hash.update(data)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }

  reset(): void {}
}
