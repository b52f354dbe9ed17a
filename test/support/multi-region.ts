/** Multi-Region keys to test with, in a stack of the test's own whose clock the test moves. */
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  type KeyMetadata,
  KMSClient,
  ReplicateKeyCommand,
  type ReplicateKeyCommandInput,
} from '@aws-sdk/client-kms'
import { AdjustableClock } from '../../shared/clock.ts'
import { type AccountId, type KeyId, parseKeyId, type Region } from '../../shared/ids.ts'
import { renewEnvironment, setLocalTerms } from '../../shared/lambda/environment.ts'
import { givenInProcessStack, type InProcessStack } from './in-process-stack.ts'
import type { GivenStack } from './stack-client.ts'

export const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1'] as const
export const [EAST, WEST, IRELAND] = REGIONS

export interface MultiRegionKey {
  readonly keyId: string
  arn(region: string): string
}

export interface MultiRegionStack extends InProcessStack {
  readonly account: AccountId
  readonly clock: AdjustableClock
  /** A client of the administrator that signs for the Region. It does not try again. */
  kms(region: string): KMSClient
  /** A new primary key in us-east-1, Enabled unless it is to be imported. */
  key(input?: CreateKeyCommandInput): Promise<MultiRegionKey>
  /** A new primary key with replicas in the Regions, none of them Creating any more. */
  keyWithReplicas(...regions: readonly string[]): Promise<MultiRegionKey>
  replicate(
    key: MultiRegionKey,
    region: string,
    more?: Partial<ReplicateKeyCommandInput>,
  ): Promise<KeyMetadata>
  describe(key: MultiRegionKey, region: string): Promise<KeyMetadata>
  /** The key as its Region's rows say, and its set. */
  stored(key: MultiRegionKey, region: string): ReturnType<InProcessStack['services']['keys']['get']>
}

export const clientOf = ({ endpoint, credentials }: GivenStack, region: string): KMSClient =>
  new KMSClient({ endpoint, credentials, region, maxAttempts: 1 })

export async function givenMultiRegionStack(): Promise<MultiRegionStack> {
  const stack = await givenInProcessStack()
  const clock = new AdjustableClock()
  setLocalTerms({ clock, unsignedAs: null })
  const { services } = await renewEnvironment()
  const account = stack.stack.account as AccountId
  const clients = new Map(
    REGIONS.map((region) => [region as string, clientOf(stack.stack, region)]),
  )
  const kms = (region: string): KMSClient => clients.get(region) as KMSClient

  async function key(input: CreateKeyCommandInput = {}): Promise<MultiRegionKey> {
    const made = await kms(EAST).send(new CreateKeyCommand({ MultiRegion: true, ...input }))
    const keyId = made.KeyMetadata?.KeyId ?? ''
    return { keyId, arn: (region) => `arn:aws:kms:${region}:${account}:key/${keyId}` }
  }

  async function replicate(
    { keyId }: MultiRegionKey,
    ReplicaRegion: string,
    more: Partial<ReplicateKeyCommandInput> = {},
  ): Promise<KeyMetadata> {
    const command = new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion, ...more })
    return (await kms(EAST).send(command)).ReplicaKeyMetadata as KeyMetadata
  }

  return {
    ...stack,
    services,
    account,
    clock,
    kms,
    key,
    replicate,
    async keyWithReplicas(...regions) {
      const made = await key()
      for (const region of regions) await replicate(made, region)
      clock.offset += 1000
      return made
    },
    async describe({ keyId }, region) {
      const { KeyMetadata } = await kms(region).send(new DescribeKeyCommand({ KeyId: keyId }))
      return KeyMetadata as KeyMetadata
    },
    stored: ({ keyId }, region) =>
      services.keys.get(account, region as Region, parseKeyId(keyId) as KeyId, true),
  }
}
