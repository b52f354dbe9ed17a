/** The credential: an access key id and the scope that it was used in. */
import type { Region } from '../ids.ts'
import { type Refusal, refuse, type ScopeFault } from './failure.ts'
import type { Presented } from './presented.ts'
import { TERMINATOR } from './string-to-sign.ts'

export interface Credential {
  readonly accessKeyId: string
  readonly day: string
  readonly region: Region
  readonly service: string
}

/** What the scope has to say. */
export interface ExpectedScope {
  /** The Regions that are served; the first one is named to who asks in another. */
  readonly regions: readonly Region[]
  readonly service: string
  /** `20261123T101500Z`; its day is the scope's. */
  readonly timestamp: string
}

/** @returns the credential, or all that is wrong with its scope; whether the access key exists is not looked at */
export function readCredential(
  { via, credential }: Presented,
  expected: ExpectedScope,
): Credential | Refusal {
  const [accessKeyId, day, regionName, service, terminator, ...rest] = credential.split('/')
  if (!accessKeyId || !day || !regionName || !service || !terminator || rest.length > 0) {
    return refuse({ kind: 'malformed-credential', via, given: credential })
  }
  const region = expected.regions.find((served) => served === regionName)
  const faults = faultsOf({ day, regionName, service, terminator }, expected)
  if (region === undefined || faults.length > 0) return refuse({ kind: 'wrong-scope', via, faults })
  return { accessKeyId, day, region, service }
}

function faultsOf(
  given: { day: string; regionName: string; service: string; terminator: string },
  { regions, service, timestamp }: ExpectedScope,
): readonly ScopeFault[] {
  const day = timestamp.slice(0, 8)
  const faults: ScopeFault[] = []
  if (!regions.some((served) => served === given.regionName)) {
    faults.push({ part: 'region', given: given.regionName, expected: regions[0] ?? '' })
  }
  if (given.service !== service) {
    faults.push({ part: 'service', given: given.service, expected: service })
  }
  if (given.terminator !== TERMINATOR) faults.push({ part: 'terminator', given: given.terminator })
  if (given.day !== day) {
    faults.push({ part: 'day', given: given.day, expected: day, date: timestamp })
  }
  return faults
}
