/** Explanations of decisions as the API answers them. */
import type { Decision } from '../authz/decide.ts'
import type { ExplainedStatement, Explanation, FailedElement } from '../authz/explain.ts'
import type { Layer } from '../authz/layers.ts'

export interface StatementView {
  readonly PolicyType: 'KeyPolicy' | 'IdentityPolicy' | 'PermissionsBoundary' | 'SessionPolicy'
  /** Absent for the key policy. */
  readonly PolicyName?: string
  /** From 0. */
  readonly StatementIndex: number
  readonly Sid?: string
  readonly Effect: 'Allow' | 'Deny'
  readonly Matched: boolean
  /** What kept it from matching. */
  readonly Failed?: readonly FailedView[]
}

export interface FailedView {
  /** `Principal`, `NotAction`, `Condition`, … */
  readonly Element: string
  readonly Operator?: string
  readonly Key?: string
  readonly Wanted: readonly string[]
  /** What the request has; absent when it has nothing. */
  readonly Given?: readonly string[]
}

export interface ExplanationView {
  readonly Decision: 'Allowed' | 'Denied'
  /** `KeyPolicy`, `IdentityPolicy`, `Grant`; of a refusal `ExplicitDeny` or `NothingAllows`. */
  readonly Because: string
  /** Of a refusal: the kind of policy that denies, or that lacks an Allow. */
  readonly Where?: string
  /** The statements that made the decision: those that deny, or those that allow. */
  readonly DecidedBy: readonly StatementView[]
  readonly GrantId?: string
  /** Every statement that was looked at. */
  readonly Statements: readonly StatementView[]
  readonly Grants: readonly {
    readonly GrantId: string
    readonly Covers: boolean
    readonly Failed?: string
  }[]
}

const POLICY_TYPES: Readonly<Record<Layer, StatementView['PolicyType']>> = {
  resource: 'KeyPolicy',
  identity: 'IdentityPolicy',
  boundary: 'PermissionsBoundary',
  session: 'SessionPolicy',
}

/** @returns the decision in words that programs can compare, with all that it was made from */
export function explanationView(explanation: Explanation): ExplanationView {
  const { decision, statements, grants } = explanation
  const grant = grants.find(({ effect }) => effect !== null)
  const isByGrant = decision.allowed && decision.by === 'grant' && grant !== undefined
  return {
    Decision: decision.allowed ? 'Allowed' : 'Denied',
    ...reasonOf(decision),
    DecidedBy: decidingStatements(explanation).map(statementView),
    ...(isByGrant ? { GrantId: grant.grantId } : {}),
    Statements: statements.map(statementView),
    Grants: grants.map(({ grantId, effect, failed }) => ({
      GrantId: grantId,
      Covers: effect !== null,
      ...(failed === null ? {} : { Failed: failed }),
    })),
  }
}

const REASONS = {
  'resource-policy': 'KeyPolicy',
  'identity-policy': 'IdentityPolicy',
  grant: 'Grant',
  'explicit-deny': 'ExplicitDeny',
  'implicit-deny': 'NothingAllows',
} as const

const reasonOf = (decision: Decision) =>
  decision.allowed
    ? { Because: REASONS[decision.by] }
    : { Because: REASONS[decision.reason], Where: decision.where }

/** @returns the statements without which the decision would have been another; none when nothing allows */
export function decidingStatements({
  decision,
  statements,
}: Explanation): readonly ExplainedStatement[] {
  const matching = statements.filter(({ matched }) => matched)
  if (!decision.allowed) {
    return decision.reason === 'explicit-deny'
      ? matching.filter(({ effect }) => effect === 'Deny')
      : []
  }
  const allowing = matching.filter(({ effect }) => effect === 'Allow')
  switch (decision.by) {
    case 'resource-policy':
      return allowing.filter(
        ({ layer, addressed }) => layer === 'resource' && addressed !== 'account',
      )
    case 'identity-policy':
      return allowing.filter(({ layer }) => layer === 'resource' || layer === 'identity')
    case 'grant':
      return []
    default:
      return decision.by satisfies never
  }
}

/** One statement, and what kept it from matching. */
export const statementView = (statement: ExplainedStatement): StatementView => ({
  PolicyType: POLICY_TYPES[statement.layer],
  ...(statement.policy === null ? {} : { PolicyName: statement.policy }),
  StatementIndex: statement.index,
  ...(statement.sid === null ? {} : { Sid: statement.sid }),
  Effect: statement.effect,
  Matched: statement.matched,
  ...(statement.matched ? {} : { Failed: statement.failed.map(failedView) }),
})

const ELEMENTS = { principal: 'Principal', action: 'Action', resource: 'Resource' } as const

function failedView(failed: FailedElement): FailedView {
  if (failed.element === 'condition') {
    const { operator, key, wanted, given } = failed
    return {
      Element: 'Condition',
      Operator: operator,
      Key: key,
      Wanted: wanted,
      ...(given === null ? {} : { Given: given }),
    }
  }
  const { element, negated, wanted } = failed
  return { Element: `${negated ? 'Not' : ''}${ELEMENTS[element]}`, Wanted: wanted }
}
