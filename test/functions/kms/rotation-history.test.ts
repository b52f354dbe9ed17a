/** Whatever a key went through, what was encrypted under it opens, and tells by which material. */
import {
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  ListKeyRotationsCommand,
  ReEncryptCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { givenKey } from '../../support/kms.ts'
import { DAY, givenTimedStack, MINUTE } from '../../support/timed-stack.ts'

const stack = await givenTimedStack()
afterAll(() => stack.close())
const { kms } = stack

type Context = Record<string, string>
interface Sealed {
  readonly blob: Uint8Array
  readonly plaintext: Uint8Array
  readonly context: Context
  /** By which it was sealed. */
  readonly material: string
}

/** What the key should be by now, told without its store. */
class World {
  readonly keyId: string
  readonly sealed: Sealed[] = []
  /** Every material, oldest first; the last is the current one. */
  readonly materials: string[]
  enabled = true

  constructor(keyId: string, first: string) {
    this.keyId = keyId
    this.materials = [first]
  }

  get current(): string {
    return this.materials.at(-1) ?? ''
  }
}

const context = fc.dictionary(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), {
  maxKeys: 3,
  noNullPrototype: true,
})
const plaintext = fc.uint8Array({ minLength: 1, maxLength: 64 })

const steps = {
  encrypt: fc.record({ do: fc.constant('encrypt' as const), plaintext, context }),
  dataKey: fc.record({ do: fc.constant('data key' as const), context }),
  reEncrypt: fc.record({ do: fc.constant('re-encrypt' as const), of: fc.nat(), context }),
  rotate: fc.constant({ do: 'rotate on demand' as const }),
  enableRotation: fc.record({
    do: fc.constant('enable rotation' as const),
    days: fc.constantFrom(90, 120, 365),
  }),
  disableRotation: fc.constant({ do: 'disable rotation' as const }),
  switch: fc.constant({ do: 'switch' as const }),
  wait: fc.record({
    do: fc.constant('wait' as const),
    milliseconds: fc.constantFrom(MINUTE, 2 * MINUTE, DAY, 89 * DAY, 120 * DAY, 400 * DAY),
  }),
}
const step = fc.oneof(
  { weight: 4, arbitrary: steps.encrypt },
  { weight: 1, arbitrary: steps.dataKey },
  { weight: 3, arbitrary: steps.reEncrypt },
  { weight: 3, arbitrary: steps.rotate },
  { weight: 2, arbitrary: steps.enableRotation },
  { weight: 1, arbitrary: steps.disableRotation },
  { weight: 1, arbitrary: steps.switch },
  { weight: 4, arbitrary: steps.wait },
)
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

async function take(world: World, taken: Step): Promise<void> {
  const { keyId: KeyId } = world
  switch (taken.do) {
    case 'encrypt':
      return await encrypt(world, taken)
    case 'data key':
      return await dataKey(world, taken.context)
    case 're-encrypt':
      return await reEncrypt(world, taken)
    case 'rotate on demand': // refused near an automatic rotation, too often, or while disabled
      return await attempt(kms.send(new RotateKeyOnDemandCommand({ KeyId })))
    case 'enable rotation':
      return await attempt(
        kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: taken.days })),
      )
    case 'disable rotation':
      return await attempt(kms.send(new DisableKeyRotationCommand({ KeyId })))
    case 'switch':
      await kms.send(
        world.enabled ? new DisableKeyCommand({ KeyId }) : new EnableKeyCommand({ KeyId }),
      )
      world.enabled = !world.enabled
      return
    case 'wait':
      await stack.advance(taken.milliseconds)
      await stack.rotate()
      return await noteMaterial(world)
    default:
      return taken satisfies never
  }
}

const attempt = async (call: Promise<unknown>): Promise<void> => {
  await call.catch(() => {})
}

async function encrypt(world: World, taken: { plaintext: Uint8Array; context: Context }) {
  if (!world.enabled) return
  const { CiphertextBlob = Buffer.alloc(0) } = await kms.send(
    new EncryptCommand({
      KeyId: world.keyId,
      Plaintext: taken.plaintext,
      EncryptionContext: taken.context,
    }),
  )
  world.sealed.push({ ...taken, blob: CiphertextBlob, material: world.current })
}

async function dataKey(world: World, EncryptionContext: Context) {
  if (!world.enabled) return
  const { CiphertextBlob, Plaintext, KeyMaterialId } = await kms.send(
    new GenerateDataKeyCommand({ KeyId: world.keyId, KeySpec: 'AES_256', EncryptionContext }),
  )
  expect(KeyMaterialId).toBe(world.current)
  world.sealed.push({
    blob: CiphertextBlob ?? Buffer.alloc(0),
    plaintext: Plaintext ?? Buffer.alloc(0),
    context: EncryptionContext,
    material: world.current,
  })
}

/** Brings something to the newest material, under another context. */
async function reEncrypt(world: World, taken: { of: number; context: Context }) {
  const old = world.sealed[taken.of % world.sealed.length]
  if (!world.enabled || old === undefined) return
  const { CiphertextBlob, SourceKeyMaterialId, DestinationKeyMaterialId } = await kms.send(
    new ReEncryptCommand({
      CiphertextBlob: old.blob,
      SourceEncryptionContext: old.context,
      DestinationKeyId: world.keyId,
      DestinationEncryptionContext: taken.context,
    }),
  )
  expect(SourceKeyMaterialId).toBe(old.material)
  expect(DestinationKeyMaterialId).toBe(world.current)
  world.sealed.push({
    ...old,
    blob: CiphertextBlob ?? Buffer.alloc(0),
    context: taken.context,
    material: world.current,
  })
}

/** At most one rotation of a kind per look; the newest is always the key's current material. */
async function noteMaterial(world: World): Promise<void> {
  const { KeyId, IncludeKeyMaterial } = {
    KeyId: world.keyId,
    IncludeKeyMaterial: 'ALL_KEY_MATERIAL' as const,
  }
  const { Rotations = [] } = await kms.send(
    new ListKeyRotationsCommand({ KeyId, IncludeKeyMaterial }),
  )
  const listed = Rotations.map(({ KeyMaterialId = '' }) => KeyMaterialId)
  expect(listed.slice(0, world.materials.length)).toEqual(world.materials) // nothing is ever lost
  expect(listed.length - world.materials.length).toBeLessThanOrEqual(2)
  world.materials.splice(0, world.materials.length, ...listed)
  const states = Rotations.map(({ KeyMaterialState }) => KeyMaterialState)
  expect(states.filter((state) => state === 'CURRENT')).toHaveLength(1)
  expect(states.at(-1)).toBe('CURRENT')
  const dates = Rotations.slice(1).map(({ RotationDate }) => Number(RotationDate))
  expect(dates).toEqual(dates.toSorted((one, other) => one - other))
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
  expect(KeyMetadata?.CurrentKeyMaterialId).toBe(world.current)
}

async function requireAllOpen(world: World): Promise<void> {
  const { keyId: KeyId } = world
  if (!world.enabled) await kms.send(new EnableKeyCommand({ KeyId }))
  for (const { blob, plaintext: expected, context: EncryptionContext, material } of world.sealed) {
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext }))
    expect(Buffer.from(opened.Plaintext ?? [])).toEqual(Buffer.from(expected))
    expect(opened.KeyMaterialId).toBe(material)
  }
}

test('Whatever its rotation history, everything that was encrypted under a key opens', async () => {
  let rotations = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 8, maxLength: 40 }), async (history) => {
      const { keyId, materialId } = await givenKey(kms)
      const world = new World(keyId, materialId)
      for (const taken of history) await take(world, taken)
      await requireAllOpen(world)
      rotations += world.materials.length - 1
      await attempt(kms.send(new DisableKeyRotationCommand({ KeyId: keyId })))
    }),
    { numRuns: 25 },
  )
  expect(rotations).toBeGreaterThan(5)
})
