/** A stack in the test's own process, whose rows a test can change and whose users it can make. */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '../../infra/local/stack.ts'
import { blockLines } from '../../shared/audit/chain.ts'
import type { AuditRecord } from '../../shared/audit/record.ts'
import { type AccountId, parseAccountId, type Region } from '../../shared/ids.ts'
import { environment } from '../../shared/lambda/environment.ts'
import type { Services } from '../../shared/pipeline/operation.ts'
import { newPrincipalId } from '../../shared/tenants/access-key-id.ts'
import { bootstrap } from '../../shared/tenants/bootstrap.ts'
import { freshUser } from '../../shared/tenants/principal.ts'
import { clientsOf, type GivenStack } from './stack-client.ts'

export interface InProcessStack {
  readonly stack: GivenStack
  readonly services: Services
  /** @returns clients of a new user of the account, who may do what the statements say */
  user(statements: readonly object[]): Promise<GivenStack>
  /** @returns clients of the administrator of another tenant */
  tenant(account: string): Promise<GivenStack>
  /** All records of the account, oldest first. */
  records(region?: string): Promise<readonly AuditRecord[]>
  close(): Promise<void>
}

/** One for each test file: handlers read where things are from the process's environment. */
export async function givenInProcessStack(): Promise<InProcessStack> {
  process.env.KEYHOLD_BLOB_GRACE_SECONDS = '0' // so that what is let go can be seen to go
  process.env.KEYHOLD_LOG_LEVEL ??= 'silent' // what goes wrong here is meant to
  const dataDir = await mkdtemp(join(tmpdir(), 'keyhold-in-process-'))
  const started = await startStack({ port: 0, dataDir })
  const { services, accessKeys } = await environment()
  const { endpoint, account } = started
  const clients = (credentials: { accessKeyId: string; secretAccessKey: string }) =>
    clientsOf({ endpoint, account, dataDir, ...credentials })
  return {
    stack: clients(started),
    services,
    user: async (statements) =>
      clients(await accessKeys.issue(account, await newUser(services, account, statements))),
    async tenant(other) {
      const id = parseAccountId(other)
      if (id === null) throw new Error('Not an account id.')
      const { store, tenantKeys, clock } = services
      const options = { tenants: store.tenants, tenantKeys, accessKeys, clock, account: id }
      return clients(await bootstrap(options))
    },
    records: (region = 'us-east-1') => recordsOf(services, account, region as Region),
    async close() {
      await started.close()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

async function newUser(
  { store, clock }: Services,
  account: AccountId,
  statements: readonly object[],
) {
  const principalId = newPrincipalId()
  const document = JSON.stringify({ Version: '2012-10-17', Statement: statements })
  await store.tenants.createPrincipal(
    freshUser({
      account,
      principalId,
      name: `user-${principalId}`,
      policies: [{ name: 'inline', document }],
      createdAt: clock.now(),
    }),
  )
  return principalId
}

async function recordsOf(
  { store }: Services,
  account: AccountId,
  region: Region,
): Promise<readonly AuditRecord[]> {
  const records: AuditRecord[] = []
  for (const day of (await store.ledger.days(account, region)).toReversed()) {
    let after: string | null = null
    do {
      const options = { newestFirst: false, limit: 100, after }
      const page = await store.ledger.blocks(account, region, day, options)
      for (const block of page.items) {
        records.push(...blockLines(block).map((line) => JSON.parse(line) as AuditRecord))
      }
      after = page.next
    } while (after !== null)
  }
  return records
}
