/**
 * What an operation is: a value that declares its input, the keys it uses and the permissions it
 * needs, how it shows in the audit record, and what it does. The pipeline does everything that all
 * operations have in common, so that none can forget it.
 */

import type { Ledger } from '../audit/ledger.ts'
import type { Caller } from '../authn/caller.ts'
import type { IdentityTokens } from '../authn/identity-tokens.ts'
import type { Sessions } from '../authn/sessions.ts'
import type { Clock } from '../clock.ts'
import type { ApiError } from '../errors.ts'
import type { AccountId, KeyId, Region } from '../ids.ts'
import type { KeyGrants } from '../keys/key-grants.ts'
import type { StateRule } from '../keys/key-states.ts'
import type { FoundKey, Keys } from '../keys/keys.ts'
import type { MaterialCache } from '../keys/material.ts'
import type { GrantRecord, KeyUsage, Tag } from '../store/records.ts'
import type { Store } from '../store/repositories.ts'
import type { AccessKeys } from '../tenants/access-keys.ts'
import type { GrantTokens } from '../tenants/grant-tokens.ts'
import type { Markers } from '../tenants/markers.ts'
import type { TenantKeys } from '../tenants/tenant-keys.ts'
import type { RequestRates } from './request-rates.ts'
import type { Resolved } from './resolve.ts'
import type { Shape } from './shape.ts'

/** What every operation may use; made once for each environment. */
export interface Services {
  /** What time it is for keys, grants, tokens and policies; a local stack can move it. */
  readonly clock: Clock
  /** What time it really is: signatures are made by it, and the audit trail is dated by it. */
  readonly wallClock: Clock
  readonly regions: readonly Region[]
  readonly store: Store
  readonly tenantKeys: TenantKeys
  readonly accessKeys: AccessKeys
  readonly keys: Keys
  readonly material: MaterialCache
  readonly grants: KeyGrants
  readonly grantTokens: GrantTokens
  readonly markers: Markers
  readonly requestRates: RequestRates
  readonly sessions: Sessions
  /** Those of the identity providers that are configured. */
  readonly identityTokens: Pick<IdentityTokens, 'isConfigured' | 'verify'>
  readonly ledger: Ledger
}

/** One call, once its caller is known. */
export interface Call {
  readonly services: Services
  readonly caller: Caller
  readonly region: Region
  readonly requestId: string
  readonly sourceIp: string
  readonly userAgent: string
  /** Whether the caller came over TLS. */
  readonly secure: boolean
  /** The service that calls for the caller; set by this process alone, never by a request. */
  readonly via: 's3' | null
}

/** How a request names a key. */
export type KeyName =
  | {
      readonly by: 'identifier'
      readonly text: string
      readonly aliases: boolean
      /** The key in the ciphertext that the named one is to open. */
      readonly ciphertextKey?: { readonly account: AccountId; readonly keyId: KeyId }
    }
  /** From a ciphertext blob. */
  | { readonly by: 'address'; readonly account: AccountId; readonly keyId: KeyId }

/** A key that an operation uses, and what it must be allowed to do with it. */
export interface KeyUse {
  readonly name: KeyName
  /** `kms:Encrypt` */
  readonly action: string
  /** Usages of a key that the operation works with; absent: any. */
  readonly usage?: KeyUsage
  readonly states: StateRule
  /** A read that may be some seconds old will do (architecture: caches). */
  readonly cached?: boolean
  /** Conditions that the request alone does not tell, by lower-case name; beside those of `conditions`. */
  readonly conditions?: Readonly<Record<string, string>>
  /** What a grant that allows the action must be beyond that. */
  grants?(grant: GrantRecord): boolean
  /** Decides in the place of the key policy and of grants; gives the key or throws. */
  authorize?(resolved: Resolved, call: Call): Promise<FoundKey>
}

/** What a request contributes to the conditions of policies. */
export interface RequestConditions {
  readonly encryptionContext?: Readonly<Record<string, string>>
  readonly encryptionAlgorithm?: string
  readonly requestTags?: readonly Tag[]
  readonly tagKeys?: readonly string[]
  /** Further keys, by lower-case name: `kms:bypasspolicylockoutsafetycheck`. */
  readonly others?: Readonly<Record<string, string | readonly string[] | undefined>>
}

/** A permission that is not on a key: on everything (`*`), or on an alias. */
export interface Permission {
  readonly action: string
  /** ARN; `null` for operations without a resource. */
  readonly resource: string | null
  /** The text of the policy that the resource has, if it has one. */
  readonly policy?: string | null
  /** Conditions that the request alone does not tell; beside those of `Operation.conditions`. */
  readonly conditions?: NonNullable<RequestConditions['others']>
}

export type KeysByRole<Role extends string> = Readonly<Record<Role, FoundKey>>

/** What an operation shows in the audit record: an allow-list, never the request itself. */
export interface AuditView<Input, Output, Role extends string> {
  requestParameters(
    input: Input,
    keys: Partial<KeysByRole<Role>>,
  ): Readonly<Record<string, unknown>> | null
  responseElements?(
    output: Output,
    keys: Partial<KeysByRole<Role>>,
  ): Readonly<Record<string, unknown>> | null
  additionalEventData?(output: Output, input: Input): Readonly<Record<string, unknown>> | null
  /** Resources that are not keys; keys are added by the pipeline. */
  resources?(input: Input): readonly { accountId: string; type: string; ARN: string }[]
  /** Data events are those on objects. */
  readonly category?: 'Data'
}

export interface Operation<Input, Output, Role extends string = never> {
  /** `iam`: principals of a tenant; `keyhold`: tenants, quotas, explanations. */
  readonly service: 'kms' | 'sts' | 'cloudtrail' | 's3' | 'iam' | 'keyhold'
  readonly name: string
  readonly input: Shape<Input>
  readonly readOnly: boolean
  /** Permissions that are not on a key, checked before the keys are looked up. */
  permissions?(input: Input, call: Call): readonly Permission[] | Promise<readonly Permission[]>
  /** The keys, by the role that they have in the operation, in the order in which they are checked. */
  keys?(
    input: Input,
    call: Call,
  ): Promise<Readonly<Record<Role, KeyUse>>> | Readonly<Record<Role, KeyUse>>
  conditions?(input: Input, role: Role | null): RequestConditions
  /** What is wrong with the request as a whole; after authorization, before usage and state. */
  check?(input: Input, keys: KeysByRole<Role>, call: Call): void
  run(input: Input, keys: KeysByRole<Role>, call: Call): Promise<Output> | Output
  /** Words whatever was thrown as the service does; absent: as the AWS JSON services do. */
  readonly explain?: (error: unknown) => ApiError
  /** With DryRun true in the input, success is the error DryRunOperationException. */
  readonly dryRun?: true
  readonly audit: AuditView<Input, Output, Role>
}
