/**
 * The worker thread in which the embedded DynamoDB engine runs. Tells its parent its port, and when
 * it has been emptied.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { parentPort, workerData } from 'node:worker_threads'
import dynalite from 'dynalite'
import engine, { type Engine } from 'dynalite/db/index.js'

const AT_ONCE = { createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 }
/** Longer than clients keep a connection idle, so that the server is not the one to close it. */
const KEEP_ALIVE_MS = 10 * 60_000

const { path, empty } = workerData as { readonly path: string; readonly empty: boolean }

await finishTables(path)
const [server, opened] = openServer()
surviveAborts(server)
server.keepAliveTimeout = KEEP_ALIVE_MS
server.listen(0, '127.0.0.1', () => {
  parentPort?.postMessage({ port: (server.address() as AddressInfo).port })
})
parentPort?.on('message', (message: 'close' | 'clear') => {
  if (message === 'clear') {
    void clear(opened).then(() => parentPort?.postMessage({ cleared: true }))
    return
  }
  server.closeAllConnections()
  server.close(() => process.exit(0))
})

/** The server keeps its database to itself, so it is taken note of while the server makes it. */
function openServer(): [ReturnType<typeof dynalite>, Engine] {
  const { create } = engine
  let made: Engine | undefined
  engine.create = (options) => {
    made = create(options)
    closeIterators(made)
    return made
  }
  const started = dynalite({ path, ...AT_ONCE })
  engine.create = create
  if (made === undefined) throw new Error('The engine has opened no database.')
  return [started, made]
}

/**
 * The engine ends what it reads by a method that its database's iterators do not have, so it would
 * keep every one of them for ever, and with it a snapshot of the whole database.
 */
function closeIterators({ db }: Engine): void {
  for (const kind of ['keys', 'values'] as const) {
    const iterate = db[kind].bind(db)
    db[kind] = (range) => {
      const iterator = iterate(range)
      return Object.assign(iterator, { return: () => iterator.close() })
    }
  }
}

/** Everything but the descriptions of the tables, whose keys begin with `table~`. */
async function clear({ db }: Engine): Promise<void> {
  await db.clear({ lt: 'table~' })
  await db.clear({ gte: 'table\x7f' })
}

/**
 * The engine writes a new table twice, first as being created; killed in between it would refuse the
 * table for ever. This also opens the database before anything is served, so that a directory that
 * another process holds is an error at start.
 */
async function finishTables(directory: string): Promise<void> {
  const found = engine.create({ path: directory })
  closeIterators(found)
  const { db, tableDb } = found
  await db.open()
  if (empty) await clear(found)
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
