/** Runs as a process of its own: appends blocks and reports each that was acknowledged, until killed. */
import { startDynamoDb } from '../../../infra/local/dynamodb.ts'
import { parseAccountId } from '../../../shared/ids.ts'
import { openClient, openStore } from '../../../shared/store/store.ts'
import { createTables } from '../../../shared/store/tables.ts'
import { givenBlock } from './given.ts'

const { DATA_DIR: dataDir = '', ACCOUNT = '', FROM } = process.env
const account = parseAccountId(ACCOUNT)
if (account === null) throw new Error('ACCOUNT is not an account id.')
const { endpoint } = await startDynamoDb({ dataDir })
await createTables(openClient({ endpoint }))
const store = openStore({ endpoint })
for (let sequence = Number(FROM); ; sequence++) {
  await store.ledger.append(givenBlock(account, sequence)).catch((error: Error) => {
    // Written, but not yet acknowledged when the process before this one was killed.
    if (error.name !== 'ConditionFailed') throw error
  })
  process.send?.(sequence)
}
