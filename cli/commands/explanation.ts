/** Explanations as the API answers them, and as people read them. */
import { details, table, type View } from '../output/view.ts'

/** What tells one statement from the others. */
export interface StatementName {
  readonly PolicyType: string
  readonly PolicyName?: string
  /** From 0. */
  readonly StatementIndex: number
  readonly Sid?: string
}

interface Statement extends StatementName {
  readonly Effect: 'Allow' | 'Deny'
  readonly Matched: boolean
  readonly Failed?: readonly Failed[]
}

interface Failed {
  readonly Element: string
  readonly Operator?: string
  readonly Key?: string
  readonly Wanted: readonly string[]
  readonly Given?: readonly string[]
}

export interface Explanation {
  readonly Action: string
  readonly KeyId: string
  readonly Decision: 'Allowed' | 'Denied'
  readonly Because: string
  readonly Where?: string
  readonly DecidedBy: readonly Statement[]
  readonly GrantId?: string
  readonly Statements: readonly Statement[]
  readonly Grants: readonly {
    readonly GrantId: string
    readonly Covers: boolean
    readonly Failed?: string
  }[]
}

/** The decision first, then every statement and grant that was looked at. */
export function explanationView(explanation: Explanation): View {
  const { Action, KeyId, Statements, Grants } = explanation
  const decided = new Set(explanation.DecidedBy.map(nameOf))
  return [
    details({
      Decision: decisionText(explanation),
      Action,
      Key: KeyId,
      'Decided by': [...decided].join(', ') || explanation.GrantId,
    }),
    table(Statements, STATEMENT_COLUMNS, 'No statement of a policy was looked at.'),
    ...(Grants.length === 0 ? [] : [table(Grants, GRANT_COLUMNS, '')]),
  ]
}

const REASONS: Readonly<Record<string, string>> = {
  KeyPolicy: 'by the key policy',
  IdentityPolicy: 'by an identity policy',
  Grant: 'by a grant',
  ExplicitDeny: 'a statement denies it',
  NothingAllows: 'nothing allows it',
}

const PLACES: Readonly<Record<string, string>> = {
  'resource-based': 'the key policy',
  'identity-based': 'the identity policies',
  'permissions-boundary': 'the permissions boundary',
  session: 'the session policies',
}

function decisionText({ Decision, Because, Where }: Explanation): string {
  const where = Where === undefined ? '' : ` (${PLACES[Where] ?? Where})`
  return `${Decision}: ${REASONS[Because] ?? Because}${where}`
}

/** `KeyPolicy "AllowUse"`, or by its place when it has no Sid. */
export function nameOf({ PolicyType, PolicyName, Sid, StatementIndex }: StatementName): string {
  const policy = PolicyName === undefined ? PolicyType : `${PolicyType} ${PolicyName}`
  return `${policy} ${Sid === undefined ? `#${StatementIndex + 1}` : JSON.stringify(Sid)}`
}

const STATEMENT_COLUMNS = {
  Statement: nameOf,
  Effect: (statement: Statement) => statement.Effect,
  Matches: (statement: Statement) => statement.Matched,
  'Because of': (statement: Statement) => (statement.Failed ?? []).map(failedText).join('; '),
}

const GRANT_COLUMNS = {
  Grant: ({ GrantId }: Explanation['Grants'][number]) => GrantId,
  Covers: ({ Covers }: Explanation['Grants'][number]) => Covers,
  'Because of': ({ Failed }: Explanation['Grants'][number]) => Failed,
}

function failedText({ Element, Operator, Key, Wanted, Given }: Failed): string {
  const wanted = Wanted.join(' or ')
  if (Operator === undefined) return `${Element}: ${wanted}`
  const given = Given === undefined ? 'nothing' : Given.join(', ')
  return `${Operator} ${Key}: wanted ${wanted}, given ${given}`
}
