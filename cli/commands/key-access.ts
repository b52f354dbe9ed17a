import type { GrantListEntry } from '@aws-sdk/client-kms'
import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import { answerOf } from '../connection/kms.ts'
import { readPolicy } from '../input/policy-file.ts'
import { table } from '../output/view.ts'
import { policyText } from './iam-shapes.ts'
import { keyIdOf } from './key-name.ts'
import { keyWhoVerb } from './key-who.ts'

/** Who may do what with a key: `keyhold key policy`, `grants` and `who`. */
export function keyAccessVerbs(parent: Command): void {
  policy(parent)
  grants(parent)
  keyWhoVerb(parent)
}

function policy(parent: Command): void {
  const command = verb(parent, 'policy <key>', {
    about: 'Show the policy of a key, or replace it',
    examples: [
      'key policy alias/payments > policy.json',
      'policy diff --key alias/payments --policy-file policy.json',
      'key policy alias/payments --policy-file policy.json',
    ],
  }).option('--policy-file <file>', 'the new policy; - is the input')
  runs<{ readonly policyFile?: string }>(command, async (session, { policyFile }, key = '') => {
    const { client, sdk } = await session.kms()
    const KeyId = await keyIdOf(session, key)
    if (policyFile === undefined) {
      const answer = await client.send(new sdk.GetKeyPolicyCommand({ KeyId }))
      return { json: answerOf(answer), view: policyText(answer.Policy ?? '') }
    }
    const Policy = await readPolicy(policyFile)
    const answer = await client.send(new sdk.PutKeyPolicyCommand({ KeyId, Policy }))
    return { json: answerOf(answer), view: `The policy of ${key} is replaced.` }
  })
}

function grants(parent: Command): void {
  const command = verb(parent, 'grants <key>', { about: 'List the grants of a key' })
  runs(command, async (session, _options, key = '') => {
    const { client, sdk } = await session.kms()
    const Grants: GrantListEntry[] = []
    const input = { KeyId: await keyIdOf(session, key) }
    for await (const page of sdk.paginateListGrants({ client, pageSize: 100 }, input)) {
      Grants.push(...(page.Grants ?? []))
      session.progress.tell(`${Grants.length} grants`)
    }
    return { json: { Grants }, view: table(Grants, GRANT_COLUMNS, 'The key has no grants.') }
  })
}

const GRANT_COLUMNS = {
  Grantee: (grant: GrantListEntry) => grant.GranteePrincipal,
  Operations: (grant: GrantListEntry) => grant.Operations?.join(', '),
  Constraints: (grant: GrantListEntry) => constraintText(grant.Constraints),
  Name: (grant: GrantListEntry) => grant.Name,
  Created: (grant: GrantListEntry) => grant.CreationDate,
  'Grant id': (grant: GrantListEntry) => grant.GrantId,
}

const constraintText = (constraints: GrantListEntry['Constraints']): string =>
  constraints === undefined || Object.keys(constraints).length === 0
    ? ''
    : JSON.stringify(constraints)
