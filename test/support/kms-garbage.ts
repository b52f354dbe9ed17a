/**
 * Requests that are mostly right: what a world is glad of, with members exchanged for others of their
 * kind, for values at the edges of the model, and for anything at all.
 */
import fc from 'fast-check'
import { edgesOf, goodRequest, membersOf, misfitsOf, requestOf, shapeOf } from './kms-model.ts'
import type { Request, World } from './kms-world.ts'

/** Members that hold what others answer with. */
const SAME_KIND: Readonly<Record<string, string>> = {
  DestinationKeyId: 'KeyId',
  Marker: 'NextMarker',
  SourceKeyId: 'KeyId',
  TargetKeyId: 'KeyId',
}

/** What takes seconds to make: asked for, but seldom. */
const SLOW = /^RSA_[34]/
const SLOWISH = /^RSA_2/

const frequent = <Value>(...entries: readonly (readonly [number, fc.Arbitrary<Value>])[]) =>
  fc.oneof(...entries.map(([weight, arbitrary]) => ({ weight, arbitrary })))

const deep = fc
  .tuple(fc.integer({ min: 1, max: 400 }), fc.boolean())
  .map(([depth, lists]) => nested(depth, lists))

function nested(depth: number, lists: boolean): unknown {
  let value: unknown = 'a'
  for (let level = 0; level < depth; level++) value = lists ? [value] : { a: value }
  return value
}

const numbers = fc.constantFrom(
  -1,
  0,
  0.5,
  1,
  1e21,
  -1e308,
  2 ** 31,
  2 ** 53,
  253_402_300_800,
  8.64e15,
)
const texts = fc.constantFrom(
  '',
  '\u0000',
  '\ud800',
  '\udfff a',
  'é'.repeat(3000),
  'a'.repeat(20_000),
  'true',
  'null',
  '__proto__',
  '../../etc',
  'alias/',
  'arn:aws:kms:',
  '$(id)',
  '=HYPERLINK()',
)

/** Anything that JSON can say. */
export const anything: fc.Arbitrary<unknown> = frequent<unknown>(
  [3, fc.constantFrom(null, true, false, [], {}, [null], [[]], { a: null })],
  [2, numbers],
  [3, texts],
  [1, fc.string({ unit: 'binary', maxLength: 40 })],
  [1, fc.jsonValue({ maxDepth: 3 })],
  [1, deep],
)

const base64Garbage = frequent<unknown>(
  [3, fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64'))],
  [
    1,
    fc.integer({ min: 0, max: 6200 }).map((length) => Buffer.alloc(length, 1).toString('base64')),
  ],
)

/** A blob with one of its bytes changed, or cut, or longer. */
const damaged = (blob: string): fc.Arbitrary<string> =>
  fc
    .tuple(fc.nat(), fc.integer({ min: 0, max: 255 }), fc.constantFrom('flip', 'cut', 'grow'))
    .map(([at, byte, how]) => {
      const bytes = Buffer.from(blob, 'base64')
      const index = bytes.length === 0 ? 0 : at % bytes.length
      if (how === 'cut') return bytes.subarray(0, index).toString('base64')
      if (how === 'grow') return Buffer.concat([bytes, Buffer.alloc(byte, byte)]).toString('base64')
      if (bytes.length > 0) bytes[index] = byte
      return bytes.toString('base64')
    })

/** Values for a member, from what fits to what nobody would send. */
export function memberGarbage(member: string, name: string, world: World): fc.Arbitrary<unknown> {
  const shape = shapeOf(name)
  const kind = SAME_KIND[member] ?? member
  const known = [...(world.values.get(kind) ?? []), ...used(kind, world)]
  const blobs = shape.type === 'blob' ? known.filter((value) => typeof value === 'string') : []
  const edges = edgesOf(name)
  const entries: (readonly [number, fc.Arbitrary<unknown>])[] = [
    [1, fc.constantFrom(...misfitsOf(name))],
    [1, anything],
  ]
  if (known.length > 0) entries.push([12, fc.constantFrom(...known)])
  entries.push([6, fc.constantFrom(...edges.filter((edge) => !isSlow(edge)))])
  if (edges.some(isSlow)) entries.push([0.03, fc.constantFrom(...edges.filter(isSlow))])
  if (shape.type === 'blob') entries.push([3, base64Garbage])
  if (blobs.length > 0) {
    entries.push([6, fc.constantFrom(...(blobs as string[])).chain(damaged)])
  }
  if (shape.type === 'structure') entries.push([6, structureGarbage(name, world)])
  if (shape.type === 'map')
    entries.push([2, fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 })])
  return frequent(
    ...entries.map(([weight, arbitrary]) => [Math.ceil(weight * 100), arbitrary] as const),
  )
}

const isSlow = (edge: unknown): boolean =>
  typeof edge === 'string' && (SLOW.test(edge) || SLOWISH.test(edge))

/** What requests of the world have in a member of that name. */
const used = (member: string, { requests }: World): readonly unknown[] =>
  [...requests.values()].flatMap((list) =>
    list.flatMap((request) => (request[member] === undefined ? [] : [request[member]])),
  )

const structureGarbage = (name: string, world: World): fc.Arbitrary<unknown> =>
  fc.record(
    Object.fromEntries(
      membersOf(shapeOf(name)).map(([member, own]) => [member, memberGarbage(member, own, world)]),
    ),
    { requiredKeys: [...(shapeOf(name).required ?? [])] },
  )

/** Requests of an operation: some member or other is not what it should be, sometimes none. */
export function requestGarbage(operation: string, world: World): fc.Arbitrary<Request> {
  const shape = requestOf(operation)
  const glad = world.requests.get(operation) ?? []
  const bases = fc.constantFrom<Request>(...glad, ...(glad.length > 0 ? [] : [goodRequest(shape)]))
  const members = membersOf(shape)
  if (members.length === 0) return bases
  const changes = members.map(([member, name]) =>
    fc.tuple(
      fc.constant(member),
      frequent([1, fc.constant(undefined)], [9, memberGarbage(member, name, world)]),
    ),
  )
  const changed = frequent(
    [2, fc.constant<[string, unknown][]>([])],
    [5, fc.array(fc.oneof(...changes), { minLength: 1, maxLength: 1 })],
    [4, fc.array(fc.oneof(...changes), { minLength: 2, maxLength: 4 })],
  )
  return fc
    .tuple(bases, changed)
    .map(([base, entries]) => ({ ...base, ...Object.fromEntries(entries) }))
}
