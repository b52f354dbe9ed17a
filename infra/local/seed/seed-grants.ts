/** Grants of a seed. They have names, so that the same grant is made once. */
import { requireGrantable } from '../../../shared/keys/grants.ts'
import {
  GRANT_OPERATIONS,
  type GrantConstraints,
  type GrantOperation,
} from '../../../shared/store/records.ts'
import { orFail } from './or-fail.ts'
import type { SeedGrant, SeedKey } from './seed.ts'
import type { SourceValue } from './source.ts'

/** @throws StartProblem */
export function readGrant(value: SourceValue, key: SeedKey): SeedGrant {
  const members = value.only(
    'name',
    'granteePrincipal',
    'retiringPrincipal',
    'operations',
    'constraints',
  )
  const operations = (members.operations ?? value.fail('A grant needs operations.'))
    .items()
    .map((item) => item.parsed(parseOperation, 'an operation that can be granted'))
  const allowance = {
    operations: GRANT_OPERATIONS.filter((operation) => operations.includes(operation)),
    constraints: members.constraints === undefined ? null : readConstraints(members.constraints),
  }
  orFail(value, () => requireGrantable(allowance, key))
  return {
    at: value,
    key,
    name: (members.name ?? value.fail('A grant of a seed needs a name.')).parsed(
      grantName,
      'a name of 1 to 256 letters, digits or :/_-',
    ),
    grantee: (members.granteePrincipal ?? value.fail('A grant needs a granteePrincipal.')).text(),
    retiring: members.retiringPrincipal?.text() ?? null,
    ...allowance,
  }
}

const parseOperation = (text: string): GrantOperation | null =>
  GRANT_OPERATIONS.find((operation) => operation === text) ?? null

/** AWS KMS API reference, CreateGrant, "Name". */
const grantName = (text: string): string | null =>
  /^[a-zA-Z0-9:/_-]{1,256}$/.test(text) ? text : null

function readConstraints(value: SourceValue): GrantConstraints {
  const { encryptionContextEquals: equals, encryptionContextSubset: subset } = value.only(
    'encryptionContextEquals',
    'encryptionContextSubset',
  )
  return {
    ...(equals === undefined ? {} : { encryptionContextEquals: pairsOf(equals) }),
    ...(subset === undefined ? {} : { encryptionContextSubset: pairsOf(subset) }),
  }
}

const pairsOf = (value: SourceValue): Readonly<Record<string, string>> =>
  Object.fromEntries([...value.members()].map(([name, pair]) => [name, pair.text()]))
