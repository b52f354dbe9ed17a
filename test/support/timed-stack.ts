/** A stack in the test's own process whose clock the test moves, and whose rotations it runs. */
import { EncryptCommand, type KMSClient } from '@aws-sdk/client-kms'
import { rotateDueKeys } from '../../functions/schedule/rotate-due-keys.ts'
import { LocalClock } from '../../infra/local/local-clock.ts'
import { blockLines } from '../../shared/audit/chain.ts'
import type { AuditRecord } from '../../shared/audit/record.ts'
import type { Region } from '../../shared/ids.ts'
import type { Services } from '../../shared/pipeline/operation.ts'
import type { LedgerBlockRecord } from '../../shared/store/records.ts'
import { bytes, kmsClient } from './kms.ts'
import { givenTenantsStack, type TenantsStack } from './tenants-stack.ts'

export const MINUTE = 60_000
export const DAY = 24 * 60 * MINUTE

export interface TimedStack extends TenantsStack {
  /** Of the administrator, in us-east-1. */
  readonly kms: KMSClient
  /** The same in eu-west-1. */
  readonly europe: KMSClient
  now(): number
  /** Moves the clock on; nothing runs on the way. */
  advance(milliseconds: number): Promise<void>
  /** Runs the schedule once. @returns how many rotations there were */
  rotate(services?: Services): Promise<number>
  /** The blocks of the account's ledger, oldest first. */
  blocks(region?: string): Promise<readonly LedgerBlockRecord[]>
  /** The records in them. */
  records(region?: string): Promise<readonly AuditRecord[]>
}

/** Nothing is cached, so that what the test changes beside the stack is seen at once. */
export async function givenTimedStack(): Promise<TimedStack> {
  process.env.KEYHOLD_CACHE_SECONDS = '0'
  process.env.KEYHOLD_LOG_LEVEL ??= 'silent' // what fails here is meant to
  const stack = await givenTenantsStack()
  const { services, admin } = stack
  const { clock } = services
  if (!(clock instanceof LocalClock)) throw new Error('The clock of the stack cannot be moved.')
  const blocks = (region = 'us-east-1') => blocksOf(services, admin.account, region as Region)
  return {
    ...stack,
    kms: kmsClient(admin),
    europe: kmsClient({ ...admin, region: 'eu-west-1' }),
    now: () => clock.now(),
    async advance(milliseconds) {
      const nothing = { nextDue: async () => null, run: async () => [] }
      await clock.moveTo(clock.now() + milliseconds, nothing)
    },
    rotate: (with_ = services) => rotateDueKeys(with_),
    blocks,
    async records(region) {
      const lines = (await blocks(region)).flatMap((block) => blockLines(block))
      return lines.map((line) => JSON.parse(line) as AuditRecord)
    },
  }
}

async function blocksOf(
  { store }: Services,
  account: TenantsStack['admin']['account'],
  region: Region,
): Promise<readonly LedgerBlockRecord[]> {
  const found: LedgerBlockRecord[] = []
  for (const day of (await store.ledger.days(account, region)).toReversed()) {
    for (let after: string | null = null; ; ) {
      const options = { newestFirst: false, limit: 100, after }
      const page = await store.ledger.blocks(account, region, day, options)
      found.push(...page.items)
      if (page.next === null) break
      after = page.next
    }
  }
  return found
}

/** @returns the ciphertext of `hello` */
export async function encrypted(kms: KMSClient, KeyId: string): Promise<Uint8Array> {
  const command = new EncryptCommand({ KeyId, Plaintext: bytes('hello') })
  return (await kms.send(command)).CiphertextBlob ?? Buffer.alloc(0)
}
