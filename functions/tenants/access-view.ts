import type {
  Possibility,
  PossibleAccess,
  PossibleStatement,
} from '../../shared/authz/possible-access.ts'

const ACCESS = { always: 'Allowed', conditional: 'Conditional', never: 'Denied' } as const

/** `Conditional`: allowed if the request is as conditions or constraints ask for. */
export type Access = (typeof ACCESS)[Possibility]

export interface PathView {
  readonly PolicyType: 'KeyPolicy' | 'IdentityPolicy' | 'PermissionsBoundary' | 'SessionPolicy'
  readonly PolicyName?: string
  readonly StatementIndex: number
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  /** What a request must be like for the statement to apply. */
  readonly Conditions?: readonly {
    readonly Operator: string
    readonly Key: string
    readonly Wanted: readonly string[]
  }[]
}

export interface AccessView {
  readonly Access: Access
  /** The statements that give it, and those that can take it away. */
  readonly Statements: readonly PathView[]
  readonly Grants: readonly { readonly GrantId: string; readonly Constrained: boolean }[]
}

export const accessName = (possibility: Possibility): Access => ACCESS[possibility]

export const accessView = ({ possibility, statements, grants }: PossibleAccess): AccessView => ({
  Access: accessName(possibility),
  Statements: statements.map(pathView),
  Grants: grants.map(({ grantId, constrained }) => ({
    GrantId: grantId,
    Constrained: constrained,
  })),
})

const TYPES = {
  resource: 'KeyPolicy',
  identity: 'IdentityPolicy',
  boundary: 'PermissionsBoundary',
  session: 'SessionPolicy',
} as const

const pathView = ({
  layer,
  policy,
  index,
  sid,
  effect,
  conditions,
}: PossibleStatement): PathView => ({
  PolicyType: TYPES[layer],
  ...(policy === null ? {} : { PolicyName: policy }),
  StatementIndex: index,
  ...(sid === null ? {} : { Sid: sid }),
  Effect: effect,
  ...(conditions.length === 0
    ? {}
    : {
        Conditions: conditions.map(({ operator, key, wanted }) => ({
          Operator: operator,
          Key: key,
          Wanted: wanted,
        })),
      }),
})
