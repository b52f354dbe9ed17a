/** The principals that a request about grants names. */
import { JsonError } from '../errors.ts'
import { findPrincipal, type GrantPrincipal, servicePrincipalOf } from '../keys/grant-principals.ts'
import type { Call } from './operation.ts'

interface PrincipalMembers {
  readonly GranteePrincipal?: string
  readonly GranteeServicePrincipal?: string
  readonly RetiringPrincipal?: string
  readonly RetiringServicePrincipal?: string
  readonly Constraints?: { readonly SourceArn?: string }
}

/** Who was found, or what is wrong with how they are named; `null` for who is not named at all. */
export interface FoundPrincipals {
  readonly grantee: GrantPrincipal | JsonError | null
  readonly retiring: GrantPrincipal | JsonError | null
}

/** Finds who a new grant speaks of. What is wrong is a value, for nobody is told before it is authorized. */
export async function findPrincipals(
  members: PrincipalMembers,
  call: Call,
): Promise<FoundPrincipals> {
  const [grantee, retiring] = await Promise.all([
    findMember(members, 'Grantee', call),
    findMember(members, 'Retiring', call),
  ])
  return { grantee, retiring }
}

async function findMember(
  members: PrincipalMembers,
  part: 'Grantee' | 'Retiring',
  { caller, services }: Call,
): Promise<GrantPrincipal | JsonError | null> {
  const service = members[`${part}ServicePrincipal`]
  const text = members[`${part}Principal`]
  if (text === undefined) return service === undefined ? null : servicePrincipalOf(service)
  const unknownId = new JsonError(
    'InvalidArnException',
    `${part}Principal does not refer to a valid principal.`,
  )
  return await findPrincipal(text, caller.account, services.store.tenants, unknownId)
}

/** @throws JsonError ValidationException for members that do not go together */
export function requirePrincipalMembers(members: PrincipalMembers): void {
  requireOne(members, 'GranteePrincipal', 'GranteeServicePrincipal')
  if (members.RetiringPrincipal !== undefined && members.RetiringServicePrincipal !== undefined) {
    throw invalid('RetiringPrincipal and RetiringServicePrincipal must not both be specified.')
  }
  if (members.GranteeServicePrincipal === undefined) return
  if (members.Constraints?.SourceArn === undefined) {
    throw invalid('A grant for a GranteeServicePrincipal must have a SourceArn constraint.')
  }
  if (members.RetiringPrincipal === undefined && members.RetiringServicePrincipal === undefined) {
    throw invalid(
      'A grant for a GranteeServicePrincipal must have a RetiringPrincipal or a RetiringServicePrincipal.',
    )
  }
}

/** @throws JsonError ValidationException unless exactly one of two members is given */
export function requireOne<Name extends string>(
  members: Readonly<Partial<Record<Name, string>>>,
  one: Name,
  other: Name,
): void {
  if ((members[one] === undefined) === (members[other] === undefined)) {
    throw invalid(`Exactly one of ${one} and ${other} must be specified.`)
  }
}

const invalid = (text: string): JsonError => new JsonError('ValidationException', text)

/** @throws JsonError InvalidArnException for the first principal that is not one */
export function requireFound(found: FoundPrincipals | undefined): {
  grantee: GrantPrincipal
  retiring: GrantPrincipal | null
} {
  const { grantee = null, retiring = null } = found ?? {}
  if (grantee instanceof JsonError) throw grantee
  if (retiring instanceof JsonError) throw retiring
  if (grantee === null) throw new TypeError('A grant without a grantee.')
  return { grantee, retiring }
}
