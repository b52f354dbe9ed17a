/**
 * Seed files of local-kms (github.com/nsmithuk/local-kms, README "Seeding file format"), as they are,
 * in the three forms that it has had: a list of AES keys; keys by kind; and a list of keys with their
 * specs ("Version: 2"). What it does not know it passes over, and so is it here.
 */
import { type AccountId, parseAccountId, parseKeyId } from '../../../shared/ids.ts'
import type { KeySpec } from '../../../shared/store/records.ts'
import { KEY_SPECS } from '../../../shared/store/records.ts'
import type { Seed, SeedAlias, SeedKey, SeedTerms } from './seed.ts'
import { readAliasName, readKeyUsage, readMaterial, readRotation } from './seed-keys.ts'
import type { SourceValue } from './source.ts'

/** Where its keys are unless it is told otherwise. */
const ITS_ACCOUNT = parseAccountId('111122223333') as AccountId

type Members = ReadonlyMap<string, SourceValue>

/** @throws StartProblem */
export function readLocalKmsSeed(whole: SourceValue, terms: SeedTerms): Seed {
  const members = whole.members()
  members.get('Version')?.parsed(knownVersion, '1 or 2')
  const keys = members.get('Keys')
  const found = keys === undefined ? [] : readKeys(keys, terms)
  const aliases = itemsOf(members.get('Aliases')).map((alias) => readAlias(alias, found, terms))
  const account = terms.account ?? ITS_ACCOUNT
  const tenant = { at: whole, account, name: 'default', users: [], grants: [], buckets: [] }
  return { tenants: [{ ...tenant, keys: found, aliases }] }
}

const knownVersion = (text: string): string | null => (/^[12]$/.test(text) ? text : null)

function readKeys(keys: SourceValue, terms: SeedTerms): readonly SeedKey[] {
  if (keys.isList()) return keys.items().map((key) => readKey(key, undefined, terms))
  const of = (kind: string, name: string): readonly SourceValue[] =>
    itemsOf(keys.members().get(kind)?.members().get(name))
  return [
    ...of('Symmetric', 'Aes').map((key) => readKey(key, 'SYMMETRIC_DEFAULT', terms)),
    ...of('Symmetric', 'Hmac').map((key) => readKey(key, undefined, terms)),
    ...of('Asymmetric', 'Rsa').map((key) => readKey(key, undefined, terms)),
    ...of('Asymmetric', 'Ecc').map((key) => readKey(key, undefined, terms)),
  ]
}

/** @param kind - the spec that the key's place in the file says */
function readKey(value: SourceValue, kind: KeySpec | undefined, terms: SeedTerms): SeedKey {
  const members = value.members()
  const metadata = members.get('Metadata')?.members() ?? new Map<string, SourceValue>()
  const material = readMaterial(value, givenMaterial(members, metadata, kind))
  if (material.origin === 'AWS_KMS' && material.materials.length === 0) {
    value.fail('A key needs BackingKeys or a PrivateKeyPem.')
  }
  const id = members.get('KeyId') ?? metadata.get('KeyId') ?? value.fail('A key needs a KeyId.')
  return {
    at: value,
    region: terms.regions[0],
    keyId: id.parsed(parseKeyId, 'a UUID'),
    ...material,
    keyUsage: usageOf(value, material.keySpec, metadata.get('KeyUsage')),
    description: metadata.get('Description')?.text() ?? '',
    policy: null,
    tags: [],
    nextRotation: readRotation(members.get('NextKeyRotation'), material),
  }
}

function givenMaterial(members: Members, metadata: Members, kind: KeySpec | undefined) {
  const from = members.get('Material')?.members() ?? members
  refuseMistyped(from)
  const spec = metadata.get('KeySpec') ?? metadata.get('CustomerMasterKeySpec')
  const origin = metadata.get('Origin')?.text() === 'EXTERNAL' ? 'EXTERNAL' : 'AWS_KMS'
  return {
    keySpec: kind ?? spec?.parsed(parseKeySpec, 'a key spec such as HMAC_256'),
    origin,
    hex: from.get('BackingKeys'),
    pem: from.get('PrivateKeyPem'),
  } as const
}

/** A key without its material would be another key than the one that was meant. */
function refuseMistyped(members: Members): void {
  for (const [name, value] of members) {
    const meant = MATERIALS.find((known) => known.slice(0, 5) === titleCase(name.slice(0, 5)))
    if (meant === undefined || name === meant) continue
    value.fail(`There is no "${name}" here; ${meant} is what it is called.`)
  }
}

const MATERIALS = ['BackingKeys', 'PrivateKeyPem'] as const

const titleCase = (text: string): string =>
  text.charAt(0).toUpperCase() + text.slice(1).toLowerCase()

const parseKeySpec = (text: string): KeySpec | null =>
  KEY_SPECS.find((known) => known === text) ?? null

/** For elliptic curves it may be left out. */
function usageOf(value: SourceValue, spec: KeySpec, given: SourceValue | undefined) {
  return given === undefined && spec.startsWith('ECC_')
    ? 'SIGN_VERIFY'
    : readKeyUsage(value, spec, given)
}

function readAlias(value: SourceValue, keys: readonly SeedKey[], terms: SeedTerms): SeedAlias {
  const members = value.members()
  const target = members.get('TargetKeyId') ?? value.fail('An alias needs a TargetKeyId.')
  const keyId = target.parsed((text) => parseKeyId(text.replace(/^.*:key\//, '')), 'a UUID')
  if (!keys.some((key) => key.keyId === keyId))
    target.fail(`There is no key ${keyId} in this file.`)
  const name = readAliasName(members.get('AliasName') ?? value.fail('An alias needs an AliasName.'))
  return { at: value, region: terms.regions[0], name, keyId }
}

const itemsOf = (value: SourceValue | undefined): readonly SourceValue[] => value?.items() ?? []
