/** What every engine under the store has to pass. */
import { afterAll, beforeAll, describe } from 'vitest'
import type { StoreClient } from '../../../shared/store/client.ts'
import { openClient, openStore } from '../../../shared/store/store.ts'
import { createTables, DEFAULT_TABLE_PREFIX } from '../../../shared/store/tables.ts'
import { aliasContract } from './contract-aliases.ts'
import { grantContract } from './contract-grants.ts'
import { keyContract } from './contract-keys.ts'
import { ledgerContract } from './contract-ledger.ts'
import { misplacedContract } from './contract-misplaced.ts'
import { objectContract } from './contract-objects.ts'
import { rotationContract } from './contract-rotations.ts'
import { tenantContract } from './contract-tenants.ts'
import { uploadContract } from './contract-uploads.ts'

export interface Engine {
  readonly endpoint: string
  close(): Promise<void>
}

/** What a test gets at: the store, and the tables beneath it. */
export interface Given {
  store(): ReturnType<typeof openStore>
  client(): StoreClient
}

/** Runs the contract of all repositories over an engine with empty tables. */
export function storeContract(name: string, start: () => Promise<Engine>): void {
  describe(`the store over ${name}`, () => {
    let engine: Engine
    let client: StoreClient
    let store: ReturnType<typeof openStore>
    beforeAll(async () => {
      engine = await start()
      client = openClient({ endpoint: engine.endpoint })
      await createTables(client)
      await createTables(client)
      store = openStore({ endpoint: engine.endpoint, tablePrefix: DEFAULT_TABLE_PREFIX })
    })
    afterAll(async () => {
      store?.close()
      client?.close()
      await engine?.close()
    })
    const given: Given = { store: () => store, client: () => client }
    describe('tenants', () => tenantContract(given))
    describe('keys', () => keyContract(given))
    describe('rotations', () => rotationContract(given))
    describe('aliases', () => aliasContract(given))
    describe('grants', () => grantContract(given))
    describe('ledger', () => ledgerContract(given))
    describe('objects', () => objectContract(given))
    describe('uploads', () => uploadContract(given))
    describe('misplaced rows', () => misplacedContract(given))
  })
}

/** How many of the attempts succeeded; those that did not must have been refused by `refusal`. */
export async function winners(
  attempts: readonly Promise<unknown>[],
  refusal: new () => Error,
): Promise<number> {
  const outcomes = await Promise.allSettled(attempts)
  for (const outcome of outcomes)
    if (outcome.status === 'rejected' && !(outcome.reason instanceof refusal)) throw outcome.reason
  return outcomes.filter(({ status }) => status === 'fulfilled').length
}

/** All items of a listing, page by page. Fails when a page is not full although another follows. */
export async function walk<Listed>(
  limit: number,
  list: (after: string | null) => Promise<{ items: readonly Listed[]; next: string | null }>,
): Promise<Listed[]> {
  const all: Listed[] = []
  let after: string | null = null
  do {
    const page = await list(after)
    if (page.next !== null && page.items.length !== limit)
      throw new Error('A page that is not the last one is not full.')
    all.push(...page.items)
    after = page.next
  } while (after !== null)
  return all
}
