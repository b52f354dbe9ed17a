/** What a run is asked for: `--requests 100000 --seed 7 --connections 16`. */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

export interface FuzzOptions {
  readonly requests: number
  /** The same seed takes the same choices; the keys that it takes them among are new ones. */
  readonly seed: number
  readonly connections: number
}

/** @throws TypeError for a flag that there is not */
export function readFuzzOptions(argv: readonly string[]): FuzzOptions {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      requests: { type: 'string', default: '100000' },
      seed: { type: 'string', default: String(randomInt(2 ** 31)) },
      connections: { type: 'string', default: '16' },
    },
  })
  const { requests, seed, connections } = values
  return { requests: Number(requests), seed: Number(seed), connections: Number(connections) }
}
