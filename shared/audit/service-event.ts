/** Records of what the service does by itself, in the ledger of the key's owner. */
import type { Clock } from '../clock.ts'
import { buildServiceEvent, type ServiceEvent } from './build-record.ts'
import type { Ledger, Receipt } from './ledger.ts'

export interface ServiceEventServices {
  readonly ledger: Pick<Ledger, 'append'>
  /** The audit trail is dated by the real time. */
  readonly wallClock: Clock
}

/**
 * Records a service event of a key: `AwsServiceEvent` in the ledger of the key's account and Region.
 * @returns when it is durable
 * @throws LedgerUnavailable when it is not known to be; the same event can be recorded again
 */
export const recordServiceEvent = (
  { ledger, wallClock }: ServiceEventServices,
  event: ServiceEvent,
): Promise<Receipt> =>
  ledger.append(event.key.account, event.key.region, buildServiceEvent(event, wallClock.now()))
