/**
 * Sessions: what temporary credentials stand for. A session is what its token says, and for as long
 * only as the principal and its tenant are still there, active, and have not voided it.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { AccessKeyId, AccountId } from '../ids.ts'
import type { PolicyDocument } from '../store/records.ts'
import type { AccessKeys, ActivePrincipal } from '../tenants/access-keys.ts'
import type {
  OpenedToken,
  SessionContent,
  SessionTokens,
  TemporaryCredentials,
} from '../tenants/session-tokens.ts'
import { type Caller, sessionCallerOf } from './caller.ts'

const MAX_ENTRIES = 1000

/** Gives the managed policies of these ARNs that there are, as a tenant's principals may use them. */
export type ManagedPolicies = (
  account: AccountId,
  arns: readonly string[],
) => Promise<readonly PolicyDocument[]>

export interface SessionsOptions {
  readonly tokens: SessionTokens
  readonly accessKeys: Pick<AccessKeys, 'principal'>
  readonly managedPolicies: ManagedPolicies
  /** By which sessions begin and end. */
  readonly clock: Clock
  /** Milliseconds for which an opened token may be used again; 0 = open every time. */
  readonly cacheMs: number
}

/** What a session is to be; it begins now. */
export type SessionPlan = Omit<SessionContent, 'issuedAt' | 'expiresAt'> & {
  readonly durationSeconds: number
}

export interface IssuedSession extends TemporaryCredentials {
  /** Milliseconds since the epoch, a whole second. */
  readonly expiresAt: number
}

interface Entry {
  readonly openedAt: number
  readonly opened: OpenedToken
}

export class Sessions {
  readonly #options: SessionsOptions
  readonly #opened = new LRUCache<string, Entry>({ max: MAX_ENTRIES })

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  /**
   * @returns temporary credentials of a principal, whose right to them was checked before
   * @throws TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
   */
  async begin({ durationSeconds, ...plan }: SessionPlan): Promise<IssuedSession> {
    const issuedAt = this.#options.clock.now()
    const expiresAt = Math.floor(issuedAt / 1000 + durationSeconds) * 1000
    const credentials = await this.#options.tokens.issue({ ...plan, issuedAt, expiresAt })
    return { ...credentials, expiresAt }
  }

  /**
   * @returns what a token stands for, over or not; `null` when it is none, or another access key's
   * @throws TenantKeyDamaged, HsmUnavailable
   */
  async open(accessKeyId: AccessKeyId, token: string): Promise<OpenedToken | null> {
    const { cacheMs, clock, tokens } = this.#options
    const name = `${accessKeyId}/${token}`
    const now = clock.now()
    const known = this.#opened.get(name)
    if (known !== undefined && now >= known.openedAt && now - known.openedAt < cacheMs) {
      return known.opened
    }
    const opened = await tokens.open(accessKeyId, token)
    // What does not open is not kept: nobody fills memory with what they make up.
    if (opened !== null && cacheMs > 0) this.#opened.set(name, { openedAt: now, opened })
    return opened
  }

  isOver({ expiresAt }: Pick<SessionContent, 'expiresAt'>): boolean {
    return this.#options.clock.now() >= expiresAt
  }

  /** Those managed policies of the ARNs that there are. */
  managedPolicies(account: AccountId, arns: readonly string[]): Promise<readonly PolicyDocument[]> {
    return this.#options.managedPolicies(account, arns)
  }

  /**
   * @returns who has the session; `null` when it is void: its principal is gone (another one of the
   *   same name is another), its tenant is not active, or all sessions of its time were voided
   */
  async callerOf(accessKeyId: AccessKeyId, session: SessionContent): Promise<Caller | null> {
    const { accessKeys, managedPolicies } = this.#options
    const { account, principalId, limits } = session
    const found = await accessKeys.principal(account, principalId)
    if (found === null || !isOf(found, session)) return null
    const policies = limits && [
      ...limits.documents,
      ...(limits.policyArns.length === 0 ? [] : await managedPolicies(account, limits.policyArns)),
    ]
    return sessionCallerOf(found, { accessKeyId, content: session, policies })
  }
}

const isOf = ({ principal }: ActivePrincipal, session: SessionContent): boolean =>
  (principal.kind === 'Role') === (session.sessionName !== null) &&
  session.issuedAt >= principal.sessionsValidFrom
