/** What a run is asked for: `--requests 100000 --seed 7 --connections 16`. */
import { randomInt } from 'node:crypto'
import { readCount, readFlags } from '../../infra/usage.ts'

export interface FuzzOptions {
  readonly requests: number
  /** The same seed takes the same choices; the keys that it takes them among are new ones. */
  readonly seed: number
  readonly connections: number
}

const USAGE = 'npm run fuzz -- [--requests 100000] [--seed 7] [--connections 16]'
const MAX_SEED = 2 ** 31 - 1

/** @throws WrongUsage for a flag that there is not, or a number that is none */
export function readFuzzOptions(argv: readonly string[]): FuzzOptions {
  const flags = {
    requests: { type: 'string', default: '100000' },
    seed: { type: 'string', default: String(randomInt(MAX_SEED)) },
    connections: { type: 'string', default: '16' },
  } as const
  const { requests, seed, connections } = readFlags(argv, flags, USAGE)
  return {
    requests: readCount('requests', requests, { min: 1, max: 1_000_000_000 }, USAGE),
    seed: readCount('seed', seed, { min: 0, max: MAX_SEED }, USAGE),
    connections: readCount('connections', connections, { min: 1, max: 1000 }, USAGE),
  }
}
