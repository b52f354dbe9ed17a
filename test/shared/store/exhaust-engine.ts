/** Runs as a process of its own: sends an engine of little memory more than it can hold. */
import { startDynamoDb } from '../../../infra/local/dynamodb.ts'

const { endpoint } = await startDynamoDb({
  dataDir: process.env.DATA_DIR ?? '',
  maxHeapMb: 16,
})
const body = `[${'{"a":[1]},'.repeat(1_000_000)}0]`
const headers = { 'content-type': 'application/json' }
for (let sent = 0; sent < 4; sent++)
  await fetch(endpoint, { method: 'POST', headers, body }).catch(() => null)
// Kept alive by nothing but the engine: a silent end of it would show as an end with code 0.
