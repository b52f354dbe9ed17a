/** A store that dies at one of its writes to the table of keys: before it, or after it got through. */
import { Keys } from '../../shared/keys/keys.ts'
import type { Services } from '../../shared/pipeline/operation.ts'
import { openAliases } from '../../shared/store/aliases.ts'
import { openKeys } from '../../shared/store/keys.ts'
import { StoreUnavailable } from '../../shared/store/repositories.ts'
import { openRelatedKeys } from '../../shared/store/rotations.ts'
import { openClient } from '../../shared/store/store.ts'
import { Table } from '../../shared/store/table.ts'

class DyingTable extends Table {
  writes = 0
  readonly #at: number
  readonly #through: boolean

  constructor(at: number, through: boolean) {
    super(openClient(), 'keyhold-keys')
    this.#at = at
    this.#through = through
  }

  override put(...args: Parameters<Table['put']>): ReturnType<Table['put']> {
    return this.#write(() => super.put(...args))
  }

  override delete(...args: Parameters<Table['delete']>): ReturnType<Table['delete']> {
    return this.#write(() => super.delete(...args))
  }

  override deleteAll(...args: Parameters<Table['deleteAll']>): ReturnType<Table['deleteAll']> {
    return args[0].length === 0 ? Promise.resolve() : this.#write(() => super.deleteAll(...args))
  }

  async #write<Result>(write: () => Promise<Result>): Promise<Result> {
    this.writes += 1
    if (this.writes < this.#at) return await write()
    if (this.writes === this.#at && this.#through) await write()
    throw new StoreUnavailable('The store is dead.')
  }
}

export interface DyingServices {
  readonly services: Services
  /** Whether it has come to that write. */
  died(): boolean
}

/**
 * @param at - 1 is the first write
 * @param through - whether that write itself still gets through
 */
export function dyingServices(services: Services, at: number, through: boolean): DyingServices {
  const table = new DyingTable(at, through)
  const { store, clock } = services
  const [keys, aliases] = [openKeys(table), openAliases(table)]
  return {
    services: {
      ...services,
      store: { ...store, keys, aliases, relatedKeys: openRelatedKeys(table) },
      keys: new Keys({ keys, aliases, clock, cacheMs: 0 }),
    },
    died: () => table.writes >= at,
  }
}
