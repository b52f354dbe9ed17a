import type { KeyStoreScope } from '../keys/custom-key-stores.ts'
import { unreachable } from '../keys/key-store-backend.ts'
import type { Call } from './operation.ts'

/** The custom key stores of the caller's account in the Region of the call. */
export const keyStoreScope = ({ caller, region, services }: Call): KeyStoreScope => ({
  account: caller.account,
  region,
  stores: services.store.customKeyStores,
  tenantKeys: services.tenantKeys,
  clock: services.clock,
  backend: unreachable,
})
