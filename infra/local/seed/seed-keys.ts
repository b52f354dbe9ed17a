/** Keys of a seed: their specs, and their material as hex or PEM. */
import { createPrivateKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { type AliasName, parseKeyId, parseRegion, type Region } from '../../../shared/ids.ts'
import { isReservedAlias, requireOwnAliasName } from '../../../shared/keys/aliases.ts'
import { keySpec, requireSupportedKey } from '../../../shared/keys/key-specs.ts'
import { requireOwnTags, withTags } from '../../../shared/keys/tags.ts'
import { KEY_SPECS, type KeySpec, type KeyUsage } from '../../../shared/store/records.ts'
import { isInCalendar } from '../calendar.ts'
import { orFail } from './or-fail.ts'
import { type ReadPrivateKey, readPostQuantum } from './post-quantum.ts'
import type { SeedAlias, SeedGrant, SeedKey, SeedTerms } from './seed.ts'
import { readGrant } from './seed-grants.ts'
import { readPolicy } from './seed-policies.ts'
import type { SourceValue } from './source.ts'

const MEMBERS = [
  'keyId',
  'region',
  'keySpec',
  'keyUsage',
  'origin',
  'description',
  'material',
  'pem',
  'aliases',
  'policy',
  'grants',
  'tags',
  'nextRotation',
] as const

/** AWS KMS API reference, CreateKey, "Description", and "Tag". */
const MAX_DESCRIPTION_LENGTH = 8192
const MAX_TAG_KEY_LENGTH = 128
const MAX_TAG_VALUE_LENGTH = 256

export interface ReadKey {
  readonly key: SeedKey
  readonly aliases: readonly SeedAlias[]
  readonly grants: readonly SeedGrant[]
}

/** @throws StartProblem */
export function readKey(value: SourceValue, terms: SeedTerms): ReadKey {
  const members = value.only(...MEMBERS)
  const keyId = (members.keyId ?? value.fail('A key needs a keyId.')).parsed(
    parseKeyId,
    'the id of a key, such as bc436485-5092-42b8-92a3-0aa8b93536dc',
  )
  const region = readRegion(members.region, terms)
  const material = readMaterial(value, {
    keySpec: members.keySpec?.parsed(parseKeySpec, 'a key spec such as RSA_2048'),
    origin: members.origin?.parsed(parseOrigin, 'AWS_KMS or EXTERNAL') ?? 'AWS_KMS',
    hex: members.material,
    pem: members.pem,
  })
  const key: SeedKey = {
    at: value,
    region,
    keyId,
    ...material,
    keyUsage: readKeyUsage(value, material.keySpec, members.keyUsage),
    description: members.description?.shortText(MAX_DESCRIPTION_LENGTH) ?? '',
    policy:
      members.policy === undefined
        ? null
        : { at: members.policy, document: readPolicy(members.policy, 'key') },
    tags: members.tags === undefined ? [] : readTags(members.tags),
    nextRotation: readRotation(members.nextRotation, material),
  }
  const aliases = (members.aliases?.items() ?? []).map((at) => ({
    at,
    region,
    name: readAliasName(at),
    keyId,
  }))
  const grants = (members.grants?.items() ?? []).map((grant) => readGrant(grant, key))
  return { key, aliases, grants }
}

/** @param value - absent: the first Region. @throws StartProblem for one that is not served */
export function readRegion(value: SourceValue | undefined, { regions }: SeedTerms): Region {
  if (value === undefined) return regions[0]
  const region = value.parsed(parseRegion, 'the name of a Region such as eu-west-1')
  if (regions.includes(region)) return region
  return value.fail(`${region} is not served; the Regions are ${regions.join(', ')}.`)
}

export interface GivenMaterial {
  /** Absent: SYMMETRIC_DEFAULT, or what the PEM holds. */
  readonly keySpec: KeySpec | undefined
  readonly origin: SeedKey['origin']
  /** A list, oldest first. */
  readonly hex: SourceValue | undefined
  readonly pem: SourceValue | undefined
}

type ReadMaterial = Pick<SeedKey, 'keySpec' | 'origin' | 'materials'>

/** @throws StartProblem for material that is none of the key's spec, or of a spec that takes none from outside */
export function readMaterial(value: SourceValue, given: GivenMaterial): ReadMaterial {
  const read = readGiven(value, given)
  const { keySpec: KeySpec, origin: Origin } = read
  const [KeyUsage] = keySpec(KeySpec).usages
  orFail(value, () => requireSupportedKey({ KeySpec, Origin, ...(KeyUsage && { KeyUsage }) }))
  return read
}

function readGiven(value: SourceValue, given: GivenMaterial): ReadMaterial {
  const { origin, hex, pem } = given
  if (hex !== undefined && pem !== undefined) pem.fail('A key has material or pem, not both.')
  if (pem !== undefined) return { origin, ...readPem(pem, given.keySpec) }
  const spec = given.keySpec ?? 'SYMMETRIC_DEFAULT'
  const { family, offered } = keySpec(spec)
  if (!offered) value.fail(`Keys of ${spec} cannot be made here.`)
  if (hex === undefined) return { origin, keySpec: spec, materials: [] }
  if (family === 'asymmetric') hex.fail(`The material of a key of ${spec} is given as pem.`)
  const items = hex.items()
  if (items.length > 1 && family === 'hmac') hex.fail('An HMAC key has one material.')
  const materials = items.map((item) => readHex(item, spec))
  requireNoDoubles(items, materials)
  return { origin, keySpec: spec, materials }
}

/** Imported material is told by what it is, so a key has each once. */
function requireNoDoubles(items: readonly SourceValue[], materials: readonly Buffer[]): void {
  for (const [index, material] of materials.entries()) {
    const isDouble = materials.slice(0, index).some((earlier) => timingSafeEqual(earlier, material))
    if (isDouble) items[index]?.fail('The key has this material already.')
  }
}

function readHex(value: SourceValue, spec: KeySpec): Buffer {
  const text = value.text()
  const bytes = /^(?:[0-9a-f]{2})+$/i.test(text) ? Buffer.from(text, 'hex') : null
  const material = bytes && keySpec(spec).accept(bytes)
  bytes?.fill(0)
  return (
    material ??
    value.fail(
      `This is not the hex of material for ${spec}: ${digitsOf(spec)} digits are wanted, there are ${text.length} characters.`,
    )
  )
}

function digitsOf(spec: KeySpec): string {
  const { min, max } = keySpec(spec).secretBytes ?? { min: 0, max: 0 }
  return min === max ? `${2 * min}` : `${2 * min} to ${2 * max}`
}

function readPem(
  value: SourceValue,
  spec: KeySpec | undefined,
): Pick<SeedKey, 'keySpec' | 'materials'> {
  const key = privateKeyOf(value)
  const found = readPostQuantum(key) ?? readOther(key, spec)
  if (found === null || (spec !== undefined && spec !== found.keySpec)) {
    return value.fail(`This is not the private key of ${spec ?? 'any key spec'}.`)
  }
  return { keySpec: found.keySpec, materials: [found.material] }
}

/** @param spec - absent: any that fits */
function readOther(key: KeyObject, spec: KeySpec | undefined): ReadPrivateKey | null {
  const der = key.export({ type: 'pkcs8', format: 'der' })
  try {
    for (const candidate of spec === undefined ? KEY_SPECS : [spec]) {
      const { family, offered, accept } = keySpec(candidate)
      const material = family === 'asymmetric' && offered ? accept(der) : null
      if (material !== null) return { keySpec: candidate, material }
    }
    return null
  } finally {
    der.fill(0)
  }
}

/** @returns the key of PKCS#8, PKCS#1 or SEC1 in PEM */
function privateKeyOf(value: SourceValue): KeyObject {
  const text = value.text()
  try {
    return createPrivateKey(text)
  } catch {
    return value.fail('This is not a private key in PEM.')
  }
}

const parseKeySpec = (text: string): KeySpec | null =>
  KEY_SPECS.find((known) => known === text) ?? null

const parseOrigin = (text: string): SeedKey['origin'] | null =>
  text === 'AWS_KMS' || text === 'EXTERNAL' ? text : null

/** @throws StartProblem when the spec has several and none is named, or another is */
export function readKeyUsage(
  value: SourceValue,
  spec: KeySpec,
  given: SourceValue | undefined,
): KeyUsage {
  const { usages } = keySpec(spec)
  const known = (text: string): KeyUsage | null => usages.find((usage) => usage === text) ?? null
  const form = `a usage of ${spec}: ${usages.join(' or ')}`
  if (given !== undefined) return given.parsed(known, form)
  const [only, ...others] = usages
  if (only !== undefined && others.length === 0) return only
  return value.fail(`keyUsage must be ${form}.`)
}

/** @throws StartProblem */
export function readRotation(
  value: SourceValue | undefined,
  { keySpec: spec, origin }: ReadMaterial,
): number | null {
  if (value === undefined) return null
  if (spec !== 'SYMMETRIC_DEFAULT' || origin !== 'AWS_KMS') {
    value.fail(
      'Only symmetric encryption keys whose material is not imported rotate by themselves.',
    )
  }
  return value.parsed((text) => {
    const isTime = /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(text) && isInCalendar(text)
    const time = isTime ? Date.parse(text) : Number.NaN
    return Number.isNaN(time) ? null : time
  }, 'a time such as 2027-01-31T12:00:00Z')
}

/** @throws StartProblem */
export function readAliasName(value: SourceValue): AliasName {
  const text = value.text()
  if (isReservedAlias(text)) {
    value.fail(
      `${text} cannot be seeded: names that begin with alias/aws/ are those of managed keys.`,
    )
  }
  return orFail(value, () => requireOwnAliasName(text))
}

function readTags(value: SourceValue): SeedKey['tags'] {
  const tags = [...value.members()].map(([TagKey, tag]) => {
    const fits = TagKey.length > 0 && TagKey.length <= MAX_TAG_KEY_LENGTH
    if (!fits) tag.fail(`The name of a tag must have 1 to ${MAX_TAG_KEY_LENGTH} characters.`)
    return { TagKey, TagValue: tag.shortText(MAX_TAG_VALUE_LENGTH) }
  })
  return orFail(value, () => {
    requireOwnTags(tags)
    return withTags([], tags)
  })
}
