/** The worker thread in which the embedded DynamoDB engine runs. Tells its parent its port. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { parentPort, workerData } from 'node:worker_threads'
import dynalite from 'dynalite'
import engine from 'dynalite/db/index.js'

const AT_ONCE = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }
/** Longer than clients keep a connection idle, so that the server is not the one to close it. */
const KEEP_ALIVE_MS = 10 * 60_000

const { path } = workerData as { readonly path: string }

await finishTables(path)
const server = dynalite({ path, ...AT_ONCE })
surviveAborts(server)
server.keepAliveTimeout = KEEP_ALIVE_MS
server.listen(0, '127.0.0.1', () => {
  parentPort?.postMessage({ port: (server.address() as AddressInfo).port })
})
parentPort?.on('message', () => {
  server.closeAllConnections()
  server.close(() => process.exit(0))
})

/**
 * The engine writes a new table twice, first as being created; killed in between it would refuse the
 * table for ever. This also opens the database before anything is served, so that a directory that
 * another process holds is an error at start.
 */
async function finishTables(directory: string): Promise<void> {
  const { db, tableDb } = engine.create({ path: directory })
  await db.open()
  for await (const table of tableDb.createValueStream({})) {
    if (table.TableStatus !== 'CREATING') continue
    const indexes = table.GlobalSecondaryIndexes?.map((index) => ({
      ...index,
      IndexStatus: 'ACTIVE',
    }))
    const finished = { ...table, TableStatus: 'ACTIVE', GlobalSecondaryIndexes: indexes ?? [] }
    await promisify(tableDb.put)(table.TableName, finished)
  }
  await db.close()
}

/** The engine throws when a client goes away in the middle of a request, which would end the thread. */
function surviveAborts(of: ReturnType<typeof dynalite>): void {
  const handlers = of.listeners('request')
  of.removeAllListeners('request')
  of.on('request', (request: IncomingMessage, response: ServerResponse) => {
    for (const handle of handlers) handle.call(of, request, response)
    request.removeAllListeners('error')
    request.on('error', () => response.destroy())
  })
}
