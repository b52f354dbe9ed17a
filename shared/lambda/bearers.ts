/**
 * Bearer tokens of identity providers in the place of a signature, for the services that speak JSON
 * (RFC 6750, section 2.1). The configuration says whose claims stand for which role; the tenant is
 * that of the role, and no claim names it. The role must trust the provider as well.
 */

import { type Caller, sessionCallerOf } from '../authn/caller.ts'
import { jsonFailure } from '../authn/failure-text.ts'
import type { VerifiedToken } from '../authn/identity-tokens.ts'
import type { BearerRole } from '../authn/oidc-issuers.ts'
import type { SignedRequest } from '../authn/request.ts'
import { sessionNameOf } from '../authn/session-name.ts'
import { ReadCache } from '../cache.ts'
import { JsonError } from '../errors.ts'
import type { Region } from '../ids.ts'
import type { Services } from '../pipeline/operation.ts'
import { findRole, type NamedRole, notAuthorized, trustRefusal } from '../pipeline/role-trust.ts'
import { bearerAccessKeyIdOf } from '../tenants/access-key-id.ts'
import type { OriginHead } from './origin.ts'

const MAX_ENTRIES = 1000
const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*)$/i

export interface Bearer {
  readonly caller: Caller
  /** The first that is served, as no signature names another. */
  readonly region: Region
}

export class Bearers {
  readonly #services: Services
  readonly #roles: ReadCache<NamedRole | null>

  /** @param cacheMs - how old what is known of a role may be */
  constructor(services: Services, cacheMs: number) {
    this.#services = services
    const { wallClock: clock } = services
    this.#roles = new ReadCache({ maxEntries: MAX_ENTRIES, maxAgeMs: cacheMs, clock })
  }

  /** @returns the bearer token; `null` when there is none, or where no issuer is configured */
  tokenOf({ headers }: SignedRequest): string | null {
    if (!this.#services.identityTokens.isConfigured) return null
    const [authorization, ...others] = headers.get('authorization') ?? []
    if (authorization === undefined || others.length > 0) return null
    return BEARER.exec(authorization)?.[1] ?? null
  }

  /**
   * @returns a session of the role that the token's claims are mapped to
   * @throws JsonError UnrecognizedClientException, ExpiredTokenException, ServiceUnavailableException;
   *   AccessDeniedException alike when no role is mapped, and when it is not there or does not trust
   */
  async callerOf(text: string, origin: OriginHead): Promise<Bearer> {
    const token = await this.#verified(text)
    const [region] = this.#services.regions
    const mapped = token.issuer.roles.find((role) => fits(role, token))
    const named = mapped === undefined ? null : await this.#role(mapped.roleArn)
    if (region === undefined || named === null) throw refused()
    const caller = await this.#sessionOf(named, token, text, { ...origin, region })
    if (caller === null) throw refused()
    return { caller, region }
  }

  async #verified(text: string): Promise<VerifiedToken> {
    const answer = await this.#services.identityTokens.verify(text)
    if (answer.ok) return answer.token
    const { fault } = answer
    if (fault.kind === 'issuer-unreachable') {
      throw new JsonError('ServiceUnavailableException', undefined, { cause: fault.cause })
    }
    const kind = fault.kind === 'expired' ? 'expired-session' : 'bad-session-token'
    const { code, text: told } = jsonFailure({ kind })
    throw new JsonError(code, told)
  }

  #role(arn: string): Promise<NamedRole | null> {
    return this.#roles.get(arn, () => findRole(arn, this.#services))
  }

  async #sessionOf(
    named: NamedRole,
    token: VerifiedToken,
    text: string,
    { sourceIp, userAgent, secure, region }: OriginHead & { readonly region: Region },
  ): Promise<Caller | null> {
    const { role, account } = named
    const services = this.#services
    const federated = {
      provider: token.issuer.provider,
      subject: token.subject,
      audience: token.audience,
    }
    const sessionName = sessionNameOf(token.subject)
    const nothing = { tags: [], transitiveTagKeys: [], sourceIdentity: null }
    const refusal = trustRefusal(
      { kind: 'WebIdentity', federated },
      { ...nothing, sessionName, externalId: null, isTagged: false },
      named,
      { region, sourceIp, userAgent, secure, services },
    )
    if (role === null || refusal !== null) return null
    const found = await services.accessKeys.principal(account, role.principalId)
    const issuedAt = Number(token.claims.iat) * 1000
    if (found === null || issuedAt < found.principal.sessionsValidFrom) return null
    const { principalId } = role
    const { expiresAt } = token
    return sessionCallerOf(found, {
      accessKeyId: bearerAccessKeyIdOf(text),
      content: { ...nothing, account, principalId, sessionName, issuedAt, expiresAt, federated },
      policies: null,
    })
  }
}

const fits = ({ claims }: BearerRole, token: VerifiedToken): boolean =>
  Object.entries(claims).every(([name, wanted]) => {
    const values = valuesOf(name, token.claims)
    return wanted.some((value) => values.includes(value))
  })

/** A claim's values as texts; scopes stand in one text (RFC 8693, section 4.2). */
function valuesOf(name: string, claims: VerifiedToken['claims']): readonly string[] {
  const claim = Object.hasOwn(claims, name) ? claims[name] : undefined
  if (name === 'scope' && typeof claim === 'string') return claim.split(' ')
  return [claim]
    .flat()
    .filter((value) => ['string', 'number', 'boolean'].includes(typeof value))
    .map(String)
}

const refused = (): JsonError =>
  new JsonError('AccessDeniedException', notAuthorized('sts:AssumeRoleWithWebIdentity'))
