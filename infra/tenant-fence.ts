/**
 * The IAM policy of a role that serves one tenant and can reach no other's rows: DynamoDB compares
 * the partition key of every request with what `dynamodb:LeadingKeys` allows (DynamoDB Developer
 * Guide, "Using IAM policy conditions for fine-grained access control").
 *
 *     node infra/tenant-fence.ts --account 111122223333 --tables arn:aws:dynamodb:eu-central-1:999988887777:table/keyhold-
 */
import { parseAccountId } from '../shared/ids.ts'
import { TABLES, type TableName } from '../shared/store/tables.ts'
import { orSayUsage, readFlags } from './usage.ts'

interface FenceStatement {
  readonly Sid: string
  readonly Effect: 'Allow'
  readonly Action: readonly string[]
  readonly Resource: readonly string[]
  readonly Condition: {
    readonly 'ForAllValues:StringLike': { readonly 'dynamodb:LeadingKeys': readonly string[] }
    readonly Null: { readonly 'dynamodb:LeadingKeys': 'false' }
  }
}

export interface FencePolicy {
  readonly Version: '2012-10-17'
  readonly Statement: readonly FenceStatement[]
}

const READS = ['dynamodb:GetItem', 'dynamodb:Query', 'dynamodb:BatchGetItem']
const WRITES = ['dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:BatchWriteItem']

/**
 * @param tables - the ARN of the tables up to and with their prefix: `arn:…:table/keyhold-`
 * @returns a policy that names no action that reads a whole table
 * @throws RangeError when the account id is none
 */
export function fencePolicy(account: string, tables: string): FencePolicy {
  if (parseAccountId(account) === null) throw new RangeError(`${account} is no account id.`)
  const names = Object.keys(TABLES) as TableName[]
  const own = [`${account}#*`]
  return {
    Version: '2012-10-17',
    Statement: [
      statement('OwnRows', [...READS, ...WRITES], resources(names, tables), own),
      // An access key is found by its id, before anybody knows whose it is; its row says whose, and
      // its secret opens under that tenant's key alone.
      statement('AnyAccessKey', ['dynamodb:GetItem'], [`${tables}tenants`], ['access-key#*']),
      // Left out, access keys are made, changed and deleted elsewhere. A row that is put over another
      // tenant's stops that key from working; it signs for nobody.
      statement('ChangeAccessKeys', WRITES, [`${tables}tenants`], ['access-key#*']),
    ],
  }
}

const resources = (names: readonly TableName[], tables: string): readonly string[] =>
  names.flatMap((name) => [`${tables}${name}`, `${tables}${name}/index/*`])

const statement = (
  Sid: string,
  Action: readonly string[],
  Resource: readonly string[],
  keys: readonly string[],
): FenceStatement => ({
  Sid,
  Effect: 'Allow',
  Action,
  Resource,
  Condition: {
    'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': keys },
    // "For all values" holds where there are none: a request without a key is refused by this.
    Null: { 'dynamodb:LeadingKeys': 'false' },
  },
})

if (import.meta.main) {
  const { account, tables } = orSayUsage(() =>
    readFlags(
      process.argv.slice(2),
      { account: { type: 'string', default: '' }, tables: { type: 'string', default: '' } },
      'node infra/tenant-fence.ts --account <account id> --tables <ARN of the tables up to their prefix>',
    ),
  )
  console.log(JSON.stringify(fencePolicy(account, tables), null, 2))
}
