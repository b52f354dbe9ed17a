import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import dynaliteDb from 'dynalite/db/index.js'
import { afterEach, expect, test } from 'vitest'
import { startDynamoDb } from '../../../infra/local/dynamodb.ts'
import { openClient, openStore } from '../../../shared/store/store.ts'
import { createTables } from '../../../shared/store/tables.ts'
import { givenAccount, givenBlock, givenTenant, region } from './given.ts'

const cleanUp: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const step of cleanUp.splice(0).reverse()) await step()
})

async function givenDataDir(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'keyhold-engine-'))
  cleanUp.push(() => rm(dataDir, { recursive: true, force: true }))
  return dataDir
}

async function start(dataDir: string) {
  const engine = await startDynamoDb({ dataDir })
  const client = openClient({ endpoint: engine.endpoint })
  await createTables(client)
  client.close()
  return engine
}

test('what was written is there after the engine was stopped and started again', async () => {
  const dataDir = await givenDataDir()
  const account = givenAccount()
  const first = await start(dataDir)
  const store = openStore({ endpoint: first.endpoint })
  await store.tenants.create(givenTenant(account))
  store.close()
  await first.close()
  const second = await start(dataDir)
  const again = openStore({ endpoint: second.endpoint })
  expect(await again.tenants.get(account)).toEqual(givenTenant(account))
  expect(await again.tenants.list()).toEqual([givenTenant(account)])
  again.close()
  await second.close()
})

test('nothing that was acknowledged is lost when the process is killed', async () => {
  const dataDir = await givenDataDir()
  const account = givenAccount()
  let acknowledged = 0
  for (let round = 0; round < 3; round++) {
    const child = fork(new URL('./write-until-killed.ts', import.meta.url), {
      env: { ...process.env, DATA_DIR: dataDir, ACCOUNT: account, FROM: String(acknowledged + 1) },
    })
    const from = acknowledged
    child.on('message', (sequence: number) => {
      acknowledged = sequence
      if (sequence === from + 100) child.kill('SIGKILL')
    })
    await once(child, 'exit')
  }
  expect(acknowledged).toBeGreaterThanOrEqual(300)
  const engine = await start(dataDir)
  const store = openStore({ endpoint: engine.endpoint })
  const options = { newestFirst: false, limit: 100_000, after: null }
  const { items } = await store.ledger.blocks(account, region, '2026-11-23', options)
  const found = items.map(({ sequence }) => sequence)
  expect(found.slice(0, acknowledged)).toEqual(
    Array.from({ length: acknowledged }, (_, at) => at + 1),
  )
  store.close()
  await engine.close()
}, 60_000)

test('a table whose making was cut short is whole at the next start', async () => {
  const dataDir = await givenDataDir()
  await (await start(dataDir)).close()
  const { db, tableDb } = dynaliteDb.create({ path: join(dataDir, 'dynamodb') })
  await db.open()
  for await (const table of tableDb.createValueStream({}))
    await promisify(tableDb.put)(table.TableName, { ...table, TableStatus: 'CREATING' })
  await db.close()
  const engine = await start(dataDir)
  cleanUp.push(() => engine.close())
  const store = openStore({ endpoint: engine.endpoint })
  const block = givenBlock(givenAccount(), 1)
  await store.ledger.append(block)
  expect(await store.ledger.days(block.account, region)).toEqual(['2026-11-23'])
  store.close()
})

test('data that another engine has open is an error at start', async () => {
  const dataDir = await givenDataDir()
  const engine = await start(dataDir)
  cleanUp.push(() => engine.close())
  await expect(startDynamoDb({ dataDir })).rejects.toThrow(/open/i)
})

test('a client that goes away in the middle of a request does not end the engine', async () => {
  const engine = await start(await givenDataDir())
  cleanUp.push(() => engine.close())
  const { port } = new URL(engine.endpoint)
  for (const end of ['{"TableName"', '{"TableName":"keyhold-keys"}']) {
    const socket = connect(Number(port), '127.0.0.1')
    await once(socket, 'connect')
    const head = 'POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: DynamoDB_20120810.DescribeTable\r\n'
    socket.write(`${head}content-length: 28\r\n\r\n${end}`)
    await new Promise((resolve) => setImmediate(resolve))
    socket.resetAndDestroy()
  }
  const store = openStore({ endpoint: engine.endpoint })
  await store.ledger.append(givenBlock(givenAccount(), 1))
  store.close()
})

test('an engine that runs out of memory ends its process instead of leaving it waiting', async () => {
  const child = fork(new URL('./exhaust-engine.ts', import.meta.url), {
    env: { ...process.env, DATA_DIR: await givenDataDir() },
    silent: true,
  })
  cleanUp.push(async () => child.kill('SIGKILL'))
  const [code, signal] = await once(child, 'exit')
  expect(signal ?? code).not.toBe(0)
})
