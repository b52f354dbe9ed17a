/** Grants as requests write them and answers show them (AWS KMS API reference, "GrantListEntry"). */
import { JsonError } from '../errors.ts'
import { type GrantId, keyArn, PARTITION, parseGrantId } from '../ids.ts'
import { type ShownPrincipal, showPrincipal } from '../keys/grant-principals.ts'
import type { GrantConstraints, GrantRecord } from '../store/records.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { type Input, string, stringMap, structure } from './shape.ts'

export const grantConstraints = structure({
  EncryptionContextSubset: stringMap,
  EncryptionContextEquals: stringMap,
  SourceArn: string({
    min: 20,
    max: 512,
    pattern: /^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$/,
  }),
})
type ConstraintsMember = Input<typeof grantConstraints>

/** @throws JsonError InvalidGrantIdException for anything but 64 lower-case hex digits */
export function requireGrantId(text: string): GrantId {
  const grantId = parseGrantId(text)
  if (grantId === null) throw new JsonError('InvalidGrantIdException')
  return grantId
}

/** @returns `null` for constraints that constrain nothing */
export function readConstraints(member: ConstraintsMember = {}): GrantConstraints | null {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset, SourceArn } = member
  if (equals === undefined && subset === undefined && SourceArn === undefined) return null
  return {
    ...(equals === undefined ? {} : { encryptionContextEquals: equals }),
    ...(subset === undefined ? {} : { encryptionContextSubset: subset }),
    ...(SourceArn === undefined ? {} : { sourceArn: SourceArn }),
  }
}

export interface GrantEntry {
  readonly KeyId: string
  readonly GrantId: string
  readonly Name?: string
  /** Whole seconds. */
  readonly CreationDate: Date
  readonly GranteePrincipal?: string
  readonly GranteeServicePrincipal?: string
  readonly RetiringPrincipal?: string
  readonly RetiringServicePrincipal?: string
  readonly IssuingAccount: string
  readonly Operations: readonly string[]
  readonly Constraints?: ConstraintsMember
}

/** Each principal is looked up once, however many grants name it. */
export async function grantEntries(
  grants: readonly GrantRecord[],
  tenants: TenantRepository,
): Promise<readonly GrantEntry[]> {
  const named = new Set(grants.flatMap(({ grantee, retiring }) => [grantee, retiring ?? grantee]))
  const shown = new Map(
    await Promise.all(
      Array.from(named, async (stored) => [stored, await showPrincipal(stored, tenants)] as const),
    ),
  )
  const show = (stored: string | null): ShownPrincipal => shown.get(stored ?? '') ?? {}
  return grants.map((grant) => grantEntry(grant, show(grant.grantee), show(grant.retiring)))
}

const grantEntry = (
  grant: GrantRecord,
  grantee: ShownPrincipal,
  retiring: ShownPrincipal,
): GrantEntry => ({
  KeyId: keyArn(grant.region, grant.account, grant.keyId),
  GrantId: grant.grantId,
  ...(grant.name === null ? {} : { Name: grant.name }),
  CreationDate: new Date(Math.floor(grant.createdAt / 1000) * 1000),
  ...(grantee.principal === undefined ? {} : { GranteePrincipal: grantee.principal }),
  ...(grantee.service === undefined ? {} : { GranteeServicePrincipal: grantee.service }),
  ...(retiring.principal === undefined ? {} : { RetiringPrincipal: retiring.principal }),
  ...(retiring.service === undefined ? {} : { RetiringServicePrincipal: retiring.service }),
  IssuingAccount: `arn:${PARTITION}:iam::${grant.issuingAccount}:root`,
  Operations: grant.operations,
  ...(grant.constraints === null ? {} : { Constraints: shownConstraints(grant.constraints) }),
})

const shownConstraints = ({
  encryptionContextEquals: equals,
  encryptionContextSubset: subset,
  sourceArn,
}: GrantConstraints): ConstraintsMember => ({
  ...(subset === undefined ? {} : { EncryptionContextSubset: subset }),
  ...(equals === undefined ? {} : { EncryptionContextEquals: equals }),
  ...(sourceArn === undefined ? {} : { SourceArn: sourceArn }),
})
