import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { readPolicy } from '../input/policy-file.ts'
import { type TableView, table, type View } from '../output/view.ts'
import { actionName } from './action-name.ts'
import { keyIdOf } from './key-name.ts'
import type { Access } from './key-who.ts'

interface Change {
  readonly PrincipalArn: string
  readonly Action: string
  readonly Before: Access
  readonly After: Access
}

interface Comparison {
  readonly KeyId: string
  readonly Changes: readonly Change[]
  readonly OutsideAdded: readonly string[]
  readonly OutsideRemoved: readonly string[]
  readonly LocksOut: boolean
}

interface DiffOptions {
  readonly key: string
  readonly policyFile: string
  readonly action?: readonly string[]
}

/** `keyhold policy diff` */
export function policyDiffVerb(parent: Command): void {
  const command = verb(parent, 'diff', {
    about: 'Say what another key policy would change: who could do what that cannot now',
    examples: ['policy diff --key alias/payments --policy-file policy.json'],
  })
    .requiredOption('--key <key>', 'the key: its id, ARN or alias')
    .requiredOption('--policy-file <file>', 'the policy that it does not have yet; - is the input')
    .option('--action <action...>', 'only these actions: kms:Decrypt')
  runs<DiffOptions>(command, async (session, { key, policyFile, action }) => {
    const Policy = await readPolicy(policyFile)
    const KeyId = await keyIdOf(session, key)
    const input = { KeyId, Policy, Actions: action?.map(actionName) }
    const answer = await session.keyhold<Comparison>('CompareKeyPolicies', input)
    return { json: answer, view: comparisonView(answer) }
  })
}

function comparisonView({ Changes, OutsideAdded, OutsideRemoved, LocksOut }: Comparison): View {
  const outside = [
    ...OutsideAdded.map((principal) => `+ ${principal}`),
    ...OutsideRemoved.map((principal) => `- ${principal}`),
  ]
  return [
    changeTable(Changes),
    ...(outside.length === 0 ? [] : [`Of other accounts:\n${outside.join('\n')}`]),
    ...(LocksOut
      ? ['You could not change this policy again, so the key policy would be refused.']
      : []),
  ]
}

const changeTable = (changes: readonly Change[]): TableView =>
  table(
    changes,
    {
      Principal: ({ PrincipalArn }) => PrincipalArn,
      Action: ({ Action }) => Action,
      Now: ({ Before }) => Before.toLowerCase(),
      Then: ({ After }) => After.toLowerCase(),
    },
    'Nobody of the account could do more or less.',
  )
