/** The verbs that users and roles have in common: the API has each of them twice, by two names. */
import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { type Pairs, pair, tagList } from '../input/pairs.ts'
import { confirm } from '../input/terminal.ts'
import { table } from '../output/view.ts'
import { WrongUsage } from '../problem.ts'
import type { Session } from '../session.ts'
import type { AttachedPolicy } from './iam-shapes.ts'

export type Kind = 'User' | 'Role'

/** Adds `policies`, `boundary`, `tag`, `untag` and `revoke-sessions`. */
export function principalVerbs(parent: Command, kind: Kind): void {
  const noun = kind.toLowerCase()
  const name = `<${noun}-name>`
  policies(verb(parent, `policies ${name}`, { about: `List the policies of a ${noun}` }), kind)
  boundary(
    verb(parent, `boundary ${name} [policy-arn]`, {
      about: `Set the permissions boundary of a ${noun}, or remove it`,
      examples: [
        `${noun} boundary ${EXAMPLES[kind]} arn:aws:iam::111122223333:policy/team`,
        `${noun} boundary ${EXAMPLES[kind]} --remove`,
      ],
    }),
    kind,
  )
  tag(verb(parent, `tag ${name}`, { about: `Tag a ${noun}` }), kind)
  runs(
    verb(parent, `untag ${name} <tags...>`, { about: `Remove tags of a ${noun}, by their names` }),
    async (session, _options, principal = '', ...TagKeys) => {
      const input = { ...named(kind, principal), TagKeys }
      const json = await session.keyhold(`Untag${kind}`, input)
      return { json, view: `Removed ${TagKeys.join(', ')} from the ${noun} ${principal}.` }
    },
  )
  runs(
    verb(parent, `revoke-sessions ${name}`, { about: `End all sessions that a ${noun} has begun` }),
    async (session, _options, principal = '') => {
      await confirm(`End all sessions of the ${noun} ${principal}?`, session.flags)
      const json = await session.keyhold(`Revoke${kind}Sessions`, named(kind, principal))
      return { json, view: `The sessions of the ${noun} ${principal} are over.` }
    },
  )
}

const EXAMPLES = { User: 'alice', Role: 'deployer' } as const

/** The member that names it. */
export const named = (kind: Kind, name: string) => ({ [`${kind}Name`]: name })

interface AllPolicies {
  readonly PolicyNames: readonly string[]
  readonly AttachedPolicies: readonly AttachedPolicy[]
}

/** @returns the names of the inline policies, and the managed ones that are attached */
export async function policiesOf(session: Session, kind: Kind, name: string): Promise<AllPolicies> {
  const [PolicyNames, AttachedPolicies] = await Promise.all([
    session.list<string>(`List${kind}Policies`, 'PolicyNames', named(kind, name)),
    session.list<AttachedPolicy>(
      `ListAttached${kind}Policies`,
      'AttachedPolicies',
      named(kind, name),
    ),
  ])
  return { PolicyNames, AttachedPolicies }
}

function policies(command: Command, kind: Kind): void {
  runs(command, async (session, _options, name = '') => {
    const all = await policiesOf(session, kind, name)
    return { json: all, view: policyTable(all) }
  })
}

/** Inline policies and managed ones in one table. */
export function policyTable({ PolicyNames, AttachedPolicies }: AllPolicies) {
  const inline = PolicyNames.map((PolicyName) => ({ PolicyName, PolicyArn: null }))
  return table(
    [...inline, ...AttachedPolicies],
    {
      Name: ({ PolicyName }) => PolicyName,
      Kind: ({ PolicyArn }) => (PolicyArn === null ? 'inline' : 'managed'),
      ARN: ({ PolicyArn }) => PolicyArn,
    },
    'There are no policies.',
  )
}

function boundary(command: Command, kind: Kind): void {
  command.option('--remove', 'let nothing but the policies bound it')
  runs<{ readonly remove?: boolean }>(
    command,
    async (session, { remove = false }, name = '', PermissionsBoundary) => {
      if (remove === (PermissionsBoundary !== undefined)) {
        throw new WrongUsage('Give either the ARN of a policy or --remove.')
      }
      const operation = `${remove ? 'Delete' : 'Put'}${kind}PermissionsBoundary`
      const input = { ...named(kind, name), ...(remove ? {} : { PermissionsBoundary }) }
      const json = await session.keyhold(operation, input)
      return { json, view: `The boundary of ${name} is ${remove ? 'removed' : 'set'}.` }
    },
  )
}

function tag(command: Command, kind: Kind): void {
  command.requiredOption('--tag <name=value>', 'a tag; several can be given', pair)
  runs<{ readonly tag: Pairs }>(command, async (session, options, name = '') => {
    const input = { ...named(kind, name), ...tagList(options.tag) }
    const json = await session.keyhold(`Tag${kind}`, input)
    return { json, view: `Tagged ${name}.` }
  })
}

/** Takes away what keeps a principal from being deleted: its inline and its attached policies. */
export async function clear(session: Session, kind: Kind, name: string): Promise<void> {
  const { PolicyNames, AttachedPolicies } = await policiesOf(session, kind, name)
  for (const PolicyName of PolicyNames) {
    session.progress.tell(`Deleting the policy ${PolicyName}`)
    await session.keyhold(`Delete${kind}Policy`, { ...named(kind, name), PolicyName })
  }
  for (const { PolicyArn } of AttachedPolicies) {
    session.progress.tell(`Detaching ${PolicyArn}`)
    await session.keyhold(`Detach${kind}Policy`, { ...named(kind, name), PolicyArn })
  }
}
