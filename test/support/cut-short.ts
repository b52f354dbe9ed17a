/** Services that die at one of their writes: before it, or after it got through. */
import { Keys } from '../../shared/keys/keys.ts'
import type { Services } from '../../shared/pipeline/operation.ts'

export interface CutShort {
  readonly services: Services
  /** Whether it has come to that write. */
  readonly died: boolean
}

/** Nothing can be written any more from then on. */
class Died extends Error {
  override readonly name = 'Died'
}

/**
 * @param at - 1 is the first write
 * @param through - whether that write itself still gets through
 */
export function cutShort(services: Services, at: number, through: boolean): CutShort {
  let writes = 0
  const state = { died: false }
  const writing =
    <Args extends readonly unknown[], Result>(write: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      writes += 1
      if (writes < at) return await write(...args)
      state.died = true
      if (writes === at && through) await write(...args)
      throw new Died('Cut short.')
    }
  const { store, clock, ledger } = services
  const keys = {
    ...store.keys,
    putMaterial: writing(store.keys.putMaterial),
    deleteMaterial: writing(store.keys.deleteMaterial),
    update: writing(store.keys.update),
  }
  const cut: Services = {
    ...services,
    store: {
      ...store,
      keys,
      rotations: { ...store.rotations, put: writing(store.rotations.put) },
      relatedKeys: { ...store.relatedKeys, put: writing(store.relatedKeys.put) },
    },
    keys: new Keys({ keys, aliases: store.aliases, clock, cacheMs: 0 }),
    ledger: Object.assign(Object.create(ledger) as typeof ledger, {
      append: writing(ledger.append.bind(ledger)),
    }),
  }
  return {
    services: cut,
    get died() {
      return state.died
    },
  }
}
