import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { details, table } from '../output/view.ts'
import { actionName } from './action-name.ts'
import { nameOf, type StatementName } from './explanation.ts'

/** What a principal may: `Conditional` depends on the request. */
export type Access = 'Allowed' | 'Conditional' | 'Denied'

interface PossibleStatement extends StatementName {
  readonly Effect: 'Allow' | 'Deny'
  readonly Conditions?: readonly {
    readonly Operator: string
    readonly Key: string
    readonly Wanted: readonly string[]
  }[]
}

interface Principal {
  readonly PrincipalArn: string
  readonly Access: Access
  readonly Statements: readonly PossibleStatement[]
  readonly Grants: readonly { readonly GrantId: string; readonly Constrained: boolean }[]
}

interface AccessList {
  readonly KeyId: string
  readonly Action: string
  readonly Principals: readonly Principal[]
  readonly Outside: readonly string[]
}

/** `keyhold key who` */
export function keyWhoVerb(parent: Command): void {
  const command = verb(parent, 'who <key>', {
    about: 'List who may use a key, and by which statements and grants',
    examples: ['key who alias/payments', 'key who alias/payments --action ScheduleKeyDeletion'],
  }).option('--action <action>', 'what for', 'kms:Decrypt')
  runs<{ readonly action: string }>(command, async (session, { action }, KeyId) => {
    const input = { KeyId, Action: actionName(action) }
    const answer = await session.keyhold<AccessList>('ListAccess', input)
    const outside = details({ 'Named of other accounts': answer.Outside.join(', ') })
    const listing = table(answer.Principals, COLUMNS, `Nobody of the account may ${input.Action}.`)
    return { json: answer, view: answer.Outside.length === 0 ? listing : [listing, outside] }
  })
}

const COLUMNS = {
  Principal: (principal: Principal) => principal.PrincipalArn,
  Access: (principal: Principal) => principal.Access.toLowerCase(),
  By: (principal: Principal) => pathsOf(principal).join('; '),
}

const pathsOf = ({ Statements, Grants }: Principal): readonly string[] => [
  ...Statements.map(statementText),
  ...Grants.map(({ GrantId, Constrained }) =>
    Constrained ? `grant ${GrantId} with constraints` : `grant ${GrantId}`,
  ),
]

function statementText(statement: PossibleStatement): string {
  const { Effect, Conditions = [] } = statement
  const denies = Effect === 'Deny' ? 'denied by ' : ''
  const conditions = Conditions.map(
    ({ Operator, Key, Wanted }) => `${Key} ${Operator} ${Wanted.join(' or ')}`,
  )
  const onlyIf = conditions.length === 0 ? '' : ` if ${conditions.join(' and ')}`
  return `${denies}${nameOf(statement)}${onlyIf}`
}
