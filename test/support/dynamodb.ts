/** A DynamoDB of one's own for a test file: an embedded engine over a directory that goes with it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startDynamoDb } from '../../infra/local/dynamodb.ts'
import { openClient, openStore } from '../../shared/store/store.ts'
import { createTables, DEFAULT_TABLE_PREFIX } from '../../shared/store/tables.ts'

export interface GivenDynamoDb {
  readonly endpoint: string
  /** A store over its tables. */
  readonly store: ReturnType<typeof openStore>
  /** Stops the engine and removes its data. */
  close(): Promise<void>
}

/** Starts an embedded engine with empty tables. */
export async function givenDynamoDb(): Promise<GivenDynamoDb> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyhold-dynamodb-'))
  const engine = await startDynamoDb({ dataDir })
  const { endpoint } = engine
  const client = openClient({ endpoint })
  await createTables(client)
  client.close()
  const store = openStore({ endpoint, tablePrefix: DEFAULT_TABLE_PREFIX })
  return {
    endpoint,
    store,
    async close() {
      store.close()
      await engine.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
