/**
 * The requests of all operations as the service model of KMS describes them, what AWS says of a
 * value that breaks the model, and values at the edges of every constraint. Written from the model
 * alone, so that it can judge what the operations declare.
 */
import { vectors } from './vectors.ts'

export interface ModelShape {
  readonly type:
    | 'blob'
    | 'boolean'
    | 'integer'
    | 'list'
    | 'map'
    | 'string'
    | 'structure'
    | 'timestamp'
  readonly min?: number
  readonly max?: number
  readonly pattern?: string
  readonly enum?: readonly string[]
  /** The enum as the service's sentence lists it; absent: not known in which order. */
  readonly listed?: readonly string[]
  /** Values outside the enum that pass nevertheless. */
  readonly passed?: readonly string[]
  readonly sensitive?: true
  readonly required?: readonly string[]
  /** Name → name of the shape. */
  readonly members?: Readonly<Record<string, string>>
  /** Of a list, the name of its items' shape. */
  readonly member?: string
}

interface Model {
  /** Operation → name of its request's shape. */
  readonly operations: Readonly<Record<string, string>>
  readonly shapes: Readonly<Record<string, ModelShape>>
}

const model = vectors<Model>('kms-members.json')

/** The names of all 56, sorted. */
export const modelledOperations: readonly string[] = Object.keys(model.operations).toSorted()

/** @throws Error for a name that the model does not have */
export function shapeOf(name: string): ModelShape {
  const shape = model.shapes[name]
  if (shape === undefined) throw new Error(`The model has no ${name}.`)
  return shape
}

export const requestOf = (operation: string): ModelShape =>
  shapeOf(model.operations[operation] ?? operation)

export const membersOf = (shape: ModelShape): readonly (readonly [string, string])[] =>
  Object.entries(shape.members ?? {})

// ---------------------------------------------------------------------------------------- oracle

/** One broken constraint: the whole sentence, or how it begins where the rest is not known. */
export interface Fault {
  readonly text: string
  readonly whole: boolean
}

/** Keyhold repeats no more than this of a value. */
const MAX_SHOWN = 4096

/** Members whose value AWS does not even call null when it is missing. */
const isSecret = (shape: ModelShape): boolean =>
  shape.sensitive === true || (shape.member !== undefined && isSecret(shapeOf(shape.member)))

const say = (subject: string, path: string, constraint: string): Fault => ({
  text: `Value ${subject}at '${path}' failed to satisfy constraint: ${constraint}`,
  whole: true,
})

/** What AWS finds wrong with a value of the right JSON type. */
export function faultsOf(name: string, value: unknown, path = ''): readonly Fault[] {
  const shape = shapeOf(name)
  switch (shape.type) {
    case 'structure':
      return structureFaults(shape, value as Readonly<Record<string, unknown>>, path)
    case 'list': {
      const items = value as readonly unknown[]
      const shown = `'[${items.map((item) => (typeof item === 'string' ? item : '…')).join(', ')}]' `
      return [
        ...lengthFaults(shape, items.length, isSecret(shape) ? '' : shown, path),
        ...items.flatMap((item, index) =>
          faultsOf(shape.member ?? '', item, `${path}.${index + 1}.member`),
        ),
      ]
    }
    case 'string':
      return stringFaults(shape, value as string, path)
    case 'blob':
      return lengthFaults(shape, Buffer.from(value as string, 'base64').length, '', path)
    case 'integer':
      return rangeFaults(shape, value as number, path)
    default:
      return []
  }
}

function structureFaults(
  shape: ModelShape,
  value: Readonly<Record<string, unknown>>,
  path: string,
): readonly Fault[] {
  return membersOf(shape).flatMap(([member, name]) => {
    const own = member.charAt(0).toLowerCase() + member.slice(1)
    const at = path === '' ? own : `${path}.${own}`
    const entry = value[member]
    if (entry !== undefined && entry !== null) return faultsOf(name, entry, at)
    if (!shape.required?.includes(member)) return []
    return [say(isSecret(shapeOf(name)) ? '' : 'null ', at, 'Member must not be null')]
  })
}

function lengthFaults(
  { min = 0, max = Infinity }: ModelShape,
  length: number,
  subject: string,
  path: string,
): readonly Fault[] {
  const wanted = 'Member must have length'
  if (length < min) return [say(subject, path, `${wanted} greater than or equal to ${min}`)]
  if (length > max) return [say(subject, path, `${wanted} less than or equal to ${max}`)]
  return []
}

function rangeFaults(
  { min = -Infinity, max = Infinity }: ModelShape,
  value: number,
  path: string,
): readonly Fault[] {
  const wanted = 'Member must have value'
  if (value < min) return [say(`'${value}' `, path, `${wanted} greater than or equal to ${min}`)]
  if (value > max) return [say(`'${value}' `, path, `${wanted} less than or equal to ${max}`)]
  return []
}

function stringFaults(shape: ModelShape, value: string, path: string): readonly Fault[] {
  const subject = shape.sensitive ? '' : `'${value.slice(0, MAX_SHOWN)}' `
  const faults = [...lengthFaults(shape, value.length, subject, path)]
  if (shape.pattern !== undefined && !matches(shape.pattern, value)) {
    faults.push(
      say(subject, path, `Member must satisfy regular expression pattern: ${shape.pattern}`),
    )
  }
  if (shape.enum !== undefined && ![...shape.enum, ...(shape.passed ?? [])].includes(value)) {
    const { text } = say(subject, path, 'Member must satisfy enum value set: [')
    const { listed } = shape
    faults.push(
      listed === undefined
        ? { text, whole: false }
        : { text: `${text}${listed.join(', ')}]`, whole: true },
    )
  }
  return faults
}

/** The whole value against a pattern in Java's notation, where `\s` is ASCII's white space. */
const matches = (pattern: string, value: string): boolean =>
  new RegExp(
    `^(?:${pattern.replaceAll('\\p{ASCII}', '[\\x00-\\x7F]').replaceAll('\\s', ' \\t\\n\\x0B\\f\\r')})$`,
  ).test(value)

// --------------------------------------------------------------------------------------- samples

/** A key that nobody has. */
export const ABSENT_KEY = '00000000-0000-4000-8000-000000000000'

/** By shape, a value of a given length that keeps the pattern wherever one of that length can. */
const stretched: Readonly<Record<string, (length: number) => string>> = {
  AccountIdType: (length) => '1'.repeat(length),
  CloudHsmClusterIdType: (length) => `cluster-${'a'.repeat(length - 8)}`,
  PolicyType: (length) => '{'.repeat(length),
  RegionType: (length) => `us-${'a'.repeat(Math.max(1, length - 5))}-1`.slice(-length),
  ServicePrincipalType: (length) => `${'a'.repeat(Math.max(1, length - 4))}.a.a`.slice(-length),
  SourceArnType: (length) =>
    `arn:aws:s3::111122223333:${'a'.repeat(Math.max(1, length - 25))}`.slice(0, length),
  XksProxyAuthenticationAccessKeyIdType: (length) => 'A'.repeat(length),
  XksProxyUriEndpointType: (length) => `https://${'a'.repeat(Math.max(1, length - 8))}`,
  XksProxyUriPathType: (length) =>
    length < 14 ? '/kms/xks/v1' : `/${'a'.repeat(length - 12)}/kms/xks/v1`,
  XksProxyVpcEndpointServiceNameType: (length) =>
    `com.amazonaws.vpce.us-east-1.vpce-svc-${'0'.repeat(Math.max(1, length - 38))}`,
}

/** By shape, a value that is good in every way. */
const good: Readonly<Record<string, string>> = {
  KeyIdType: ABSENT_KEY,
  AliasNameType: 'alias/of-the-model-walk',
  PolicyType: '{}',
  PolicyNameType: 'default',
  PrincipalIdType: 'arn:aws:iam::111122223333:root',
  RegionType: 'us-west-2',
  ServicePrincipalType: 'service.example.com',
  SourceArnType: 'arn:aws:s3:us-east-1:111122223333:thing',
  CloudHsmClusterIdType: 'cluster-1a23b4cdefg'.replaceAll('1', '7'),
  XksProxyUriPathType: '/kms/xks/v1',
}

/** A string that keeps its shape's pattern, of a length if any such has that length. */
export function textOf(name: string, length: number): string {
  const stretch = stretched[name]
  return stretch === undefined ? 'a'.repeat(length) : stretch(length)
}

/** A value that the model has nothing against. */
export function goodValue(name: string): unknown {
  const shape = shapeOf(name)
  switch (shape.type) {
    case 'string':
      return shape.enum?.[0] ?? good[name] ?? textOf(name, Math.max(shape.min ?? 1, 1))
    case 'blob':
      return Buffer.alloc(shape.min ?? 1, 7).toString('base64')
    case 'integer':
      return shape.min ?? 1
    case 'timestamp':
      return 4_102_444_800
    case 'boolean':
      return false
    case 'list':
      return [goodValue(shape.member ?? '')]
    case 'map':
      return { purpose: 'test' }
    case 'structure':
      return goodRequest(shape)
  }
}

/** The smallest structure that the model has nothing against. */
export const goodRequest = (shape: ModelShape): Record<string, unknown> =>
  Object.fromEntries(
    membersOf(shape)
      .filter(([member]) => shape.required?.includes(member))
      .map(([member, name]) => [member, goodValue(name)]),
  )

/** Values of the right JSON type just inside and just outside each constraint of a shape. */
export function edgesOf(name: string): readonly unknown[] {
  const shape = shapeOf(name)
  switch (shape.type) {
    case 'string':
      return textEdges(name, shape)
    case 'blob':
      return lengthsAround(shape).map((length) => Buffer.alloc(length, 7).toString('base64'))
    case 'integer':
      return numbersAround(shape)
    case 'list': {
      const item = shape.member ?? ''
      return [
        [],
        ...lengthsAround(shape).map((length) => Array.from({ length }, () => goodValue(item))),
        ...edgesOf(item).map((edge) => [edge]),
        ...edgesOf(item).map((edge) => [goodValue(item), edge]),
      ]
    }
    case 'structure':
      return structureEdges(shape)
    case 'boolean':
      return [true, false]
    case 'map':
      return [{}, { purpose: '' }]
    case 'timestamp':
      return [4_102_444_800, 4_102_444_800.25]
  }
}

const lengthsAround = ({ min, max }: ModelShape): readonly number[] =>
  [
    ...(min === undefined ? [] : [min - 1, min]),
    ...(max === undefined ? [] : [max, max + 1]),
  ].filter((length) => length >= 0)

const numbersAround = ({ min, max }: ModelShape): readonly number[] => [
  ...(min === undefined ? [] : [min - 1, min, -1]),
  ...(max === undefined ? [] : [max, max + 1, 2 ** 31 - 1]),
]

function textEdges(name: string, shape: ModelShape): readonly string[] {
  if (shape.enum !== undefined) {
    return [
      ...shape.enum,
      ...(shape.passed ?? []),
      'NONE_OF_THEM',
      shape.enum[0]?.toLowerCase() ?? '',
      '',
    ]
  }
  const lengths = lengthsAround(shape).map((length) => textOf(name, length))
  if (shape.pattern === undefined) return [...lengths, 'ü€ \n']
  const usual = goodValue(name) as string
  return [
    ...lengths,
    usual,
    ...[' ', '\n', '\u00A0', '\u2003', '€', '"', '_', '.', ':'].flatMap((sign) => [
      usual + sign,
      sign + usual,
    ]),
  ]
}

function structureEdges(shape: ModelShape): readonly unknown[] {
  const usual = goodRequest(shape)
  const members = membersOf(shape)
  return [
    usual,
    ...(shape.required ?? []).flatMap((member) => [
      Object.fromEntries(Object.entries(usual).filter(([name]) => name !== member)),
      { ...usual, [member]: null },
    ]),
    ...members.flatMap(([member, name]) =>
      edgesOf(name).map((edge) => ({ ...usual, [member]: edge })),
    ),
  ]
}

/** A value that breaks the model, where the shape has a constraint to break. */
export const brokenValue = (name: string): unknown =>
  edgesOf(name).findLast((edge) => faultsOf(name, edge).length > 0)

/** Values of JSON types that the shape does not have. */
export function misfitsOf(name: string): readonly unknown[] {
  const shape = shapeOf(name)
  switch (shape.type) {
    case 'string':
      return [1, true, [], {}]
    case 'blob':
      return [1, true, [], {}, 'not base64', 'YQ', 'YQ=', '=', 'Y===', 'Y-Q_']
    case 'integer':
      return ['1', true, [], {}]
    case 'timestamp':
      return [true, [], {}]
    case 'boolean':
      return [1, 'true', [], {}]
    case 'list':
      return [1, 'a', true, {}, ...misfitsOf(shape.member ?? '').map((misfit) => [misfit])]
    case 'map':
      return [1, 'a', true, [], { purpose: 1 }, { purpose: {} }]
    case 'structure':
      return [1, 'a', true, [], ...memberMisfits(shape)]
  }
}

const memberMisfits = (shape: ModelShape): readonly unknown[] =>
  membersOf(shape).flatMap(([member, name]) =>
    misfitsOf(name).map((misfit) => ({ ...goodRequest(shape), [member]: misfit })),
  )
