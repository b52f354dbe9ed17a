/** Custom key stores. Nothing stands behind one yet, so those that there are were written by the test. */
import {
  ConnectCustomKeyStoreCommand,
  CreateCustomKeyStoreCommand,
  type CreateCustomKeyStoreCommandInput,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DisconnectCustomKeyStoreCommand,
  GenerateRandomCommand,
  UpdateCustomKeyStoreCommand,
  type UpdateCustomKeyStoreCommandInput,
} from '@aws-sdk/client-kms'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import type { Region } from '../../../shared/ids.ts'
import type {
  CloudHsmDefinition,
  CustomKeyStore,
  ExternalDefinition,
  StoreConnection,
} from '../../../shared/store/records.ts'
import { clientOf, EAST, givenMultiRegionStack, WEST } from '../../support/multi-region.ts'
import { refusalOf, refused } from '../../support/refusal.ts'

const stack = await givenMultiRegionStack()
afterAll(() => stack.close())
const { account, clock } = stack
const kms = stack.kms(EAST)
const { customKeyStores } = stack.services.store

const CLUSTER: CloudHsmDefinition = {
  type: 'AWS_CLOUDHSM',
  clusterId: 'cluster-7a23b4cdefg',
  trustAnchorCertificate: 'certificate',
}
const PROXY: ExternalDefinition = {
  type: 'EXTERNAL_KEY_STORE',
  connectivity: 'PUBLIC_ENDPOINT',
  uriEndpoint: 'https://keys.example.com',
  uriPath: '/kms/xks/v1',
  vpcEndpointServiceName: null,
  vpcEndpointServiceOwner: null,
  accessKeyId: 'A'.repeat(20),
}
const SERVICE = 'com.amazonaws.vpce.us-east-1.vpce-svc-0123456789abcdef0'
const PRIVATE_PROXY: ExternalDefinition = {
  ...PROXY,
  connectivity: 'VPC_ENDPOINT_SERVICE',
  uriEndpoint: 'https://private.example.com',
  vpcEndpointServiceName: SERVICE,
  vpcEndpointServiceOwner: '111122223333',
}

const storeOf = (number: number, more: Partial<CustomKeyStore> = {}): CustomKeyStore => ({
  id: `cks-${String(number).padStart(17, '0')}`,
  name: `store ${number}`,
  createdAt: 1_795_000_000_000,
  definition: CLUSTER,
  secret: { wrapped: Buffer.from('wrapped'), tenantKeyVersion: 1 },
  connection: { state: 'DISCONNECTED' },
  ...more,
})

async function givenStores(...stores: readonly CustomKeyStore[]): Promise<void> {
  const before = await customKeyStores.get(account, EAST as Region)
  const rev = before?.rev ?? 0
  const next = { account, region: EAST as Region, stores, rev: rev + 1 }
  await customKeyStores.put(next, before === null ? null : rev)
}
const connected: StoreConnection = { state: 'CONNECTED' }
const CREDENTIAL = { AccessKeyId: 'A'.repeat(20), RawSecretAccessKey: 's'.repeat(43) }
const OVER_CLUSTER: CreateCustomKeyStoreCommandInput = {
  CustomKeyStoreName: 'hsm',
  CloudHsmClusterId: CLUSTER.clusterId,
  TrustAnchorCertificate: 'certificate',
  KeyStorePassword: 'correct horse',
}
const OVER_PROXY: CreateCustomKeyStoreCommandInput = {
  CustomKeyStoreName: 'external',
  CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
  XksProxyConnectivity: 'PUBLIC_ENDPOINT',
  XksProxyUriEndpoint: PROXY.uriEndpoint,
  XksProxyUriPath: PROXY.uriPath,
  XksProxyAuthenticationCredential: CREDENTIAL,
}
const OVER_PRIVATE_PROXY: CreateCustomKeyStoreCommandInput = {
  ...OVER_PROXY,
  XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE',
  XksProxyUriEndpoint: PRIVATE_PROXY.uriEndpoint,
  XksProxyVpcEndpointServiceName: SERVICE,
}

const create = (input: CreateCustomKeyStoreCommandInput) =>
  kms.send(new CreateCustomKeyStoreCommand(input))
const update = (store: CustomKeyStore, input: Partial<UpdateCustomKeyStoreCommandInput>) =>
  kms.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId: store.id, ...input }))
const connect = ({ id }: CustomKeyStore) =>
  kms.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId: id }))
const disconnect = ({ id }: CustomKeyStore) =>
  kms.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId: id }))
const remove = ({ id }: CustomKeyStore) =>
  kms.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId: id }))
const shown = async (store: CustomKeyStore) => {
  const command = new DescribeCustomKeyStoresCommand({ CustomKeyStoreId: store.id })
  return (await kms.send(command)).CustomKeyStores?.[0]
}
const bare = (name: string) => refused(name, null)

beforeEach(() => givenStores())

describe('CreateCustomKeyStore', () => {
  test.for([
    ['a cluster', OVER_CLUSTER, 'CloudHsmClusterNotFoundException'],
    ['a public proxy', OVER_PROXY, 'XksProxyUriUnreachableException'],
    ['a private proxy', OVER_PRIVATE_PROXY, 'XksProxyVpcEndpointServiceNotFoundException'],
  ] as const)('does not reach %s, and makes nothing', async ([, input, error]) => {
    expect(await refusalOf(create(input))).toEqual(bare(error))
    const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand({}))
    expect(CustomKeyStores).toEqual([])
  })

  test.for([
    ['CloudHsmClusterId', OVER_CLUSTER],
    ['TrustAnchorCertificate', OVER_CLUSTER],
    ['KeyStorePassword', OVER_CLUSTER],
    ['XksProxyConnectivity', OVER_PROXY],
    ['XksProxyUriEndpoint', OVER_PROXY],
    ['XksProxyUriPath', OVER_PROXY],
    ['XksProxyAuthenticationCredential', OVER_PROXY],
    ['XksProxyVpcEndpointServiceName', OVER_PRIVATE_PROXY],
  ] as const)('needs %s', async ([member, input]) => {
    const refusal = await refusalOf(create({ ...input, [member]: undefined }))
    expect(refusal.name).toBe('ValidationException')
    expect(refusal.message).toMatch(`${member} is required`)
  })

  test.for([
    [{ ...OVER_CLUSTER, XksProxyUriPath: PROXY.uriPath }, 'XksProxyUriPath is not valid'],
    [{ ...OVER_CLUSTER, XksProxyAuthenticationCredential: CREDENTIAL }, 'is not valid'],
    [{ ...OVER_PROXY, KeyStorePassword: 'correct horse' }, 'KeyStorePassword is not valid'],
    [{ ...OVER_PROXY, CloudHsmClusterId: CLUSTER.clusterId }, 'CloudHsmClusterId is not valid'],
    [{ ...OVER_PROXY, XksProxyVpcEndpointServiceName: SERVICE }, 'is not valid'],
  ] as const)('refuses members that do not belong together: %j', async ([input, text]) => {
    const refusal = await refusalOf(create(input))
    expect(refusal.name).toBe('ValidationException')
    expect(refusal.message).toMatch(text)
  })

  test.for<[string, Partial<CustomKeyStore>, CreateCustomKeyStoreCommandInput]>([
    ['CustomKeyStoreNameInUseException', { name: 'hsm', definition: PROXY }, OVER_CLUSTER],
    ['CloudHsmClusterInUseException', {}, OVER_CLUSTER],
    ['XksProxyUriInUseException', { definition: PROXY }, OVER_PROXY],
    [
      'XksProxyUriEndpointInUseException',
      { definition: PRIVATE_PROXY },
      {
        ...OVER_PROXY,
        XksProxyUriEndpoint: PRIVATE_PROXY.uriEndpoint,
        XksProxyUriPath: '/a/kms/xks/v1',
      },
    ],
    [
      'XksProxyVpcEndpointServiceInUseException',
      { definition: PRIVATE_PROXY },
      { ...OVER_PRIVATE_PROXY, XksProxyUriEndpoint: 'https://other.example.com' },
    ],
  ])('answers %s for what another store has', async ([error, taken, input]) => {
    await givenStores(storeOf(1, taken))
    expect(await refusalOf(create(input))).toEqual(bare(error))
  })

  test('lets public proxies share an endpoint under different paths', async () => {
    await givenStores(storeOf(1, { definition: PROXY }))
    const refusal = await refusalOf(create({ ...OVER_PROXY, XksProxyUriPath: '/a/kms/xks/v1' }))
    expect(refusal.name).toBe('XksProxyUriUnreachableException')
  })

  test('makes no eleventh store in a Region', async () => {
    await givenStores(...Array.from({ length: 10 }, (_, at) => storeOf(at)))
    expect(await refusalOf(create(OVER_PROXY))).toEqual(bare('LimitExceededException'))
    const elsewhere = stack.kms(WEST).send(new CreateCustomKeyStoreCommand(OVER_PROXY))
    expect((await refusalOf(elsewhere)).name).toBe('XksProxyUriUnreachableException')
  })

  test('never repeats a secret', async () => {
    const secrets = ['!secret', 's!'.repeat(25)]
    const short = await refusalOf(
      create({ ...OVER_CLUSTER, KeyStorePassword: secrets[0]?.slice(1) }),
    )
    expect(short.message).toBe(
      "1 validation error detected: Value at 'keyStorePassword' failed to satisfy constraint: Member must have length greater than or equal to 7",
    )
    const XksProxyAuthenticationCredential = { ...CREDENTIAL, RawSecretAccessKey: secrets[1] }
    const wrong = await refusalOf(create({ ...OVER_PROXY, XksProxyAuthenticationCredential }))
    expect(wrong.message).toMatch(
      "Value at 'xksProxyAuthenticationCredential.rawSecretAccessKey' failed",
    )
    await refusalOf(create({ ...OVER_CLUSTER, KeyStorePassword: 'correct horse' }))
    await refusalOf(create(OVER_PROXY))
    const told = JSON.stringify(await stack.records(EAST))
    for (const secret of [...secrets, 'correct horse', CREDENTIAL.RawSecretAccessKey]) {
      expect(told).not.toContain(secret)
    }
  })

  test('is recorded with what it names', async () => {
    await refusalOf(create({ ...OVER_CLUSTER, CustomKeyStoreName: 'told of' }))
    const record = (await stack.records(EAST)).findLast(
      ({ eventName }) => eventName === 'CreateCustomKeyStore',
    )
    expect(record).toMatchObject({
      errorCode: 'CloudHsmClusterNotFoundException',
      requestParameters: { customKeyStoreName: 'told of', clusterId: CLUSTER.clusterId },
    })
  })
})

describe('DescribeCustomKeyStores', () => {
  const stores = [
    storeOf(1),
    storeOf(2, { definition: PROXY, connection: connected }),
    storeOf(3, {
      definition: PRIVATE_PROXY,
      connection: { state: 'FAILED', errorCode: 'XKS_PROXY_TIMED_OUT' },
    }),
  ]
  const common = (store: CustomKeyStore) => ({
    CustomKeyStoreId: store.id,
    CustomKeyStoreName: store.name,
    CreationDate: new Date(store.createdAt),
    CustomKeyStoreType: store.definition.type,
  })
  const expected = stores.map(common)

  test('shows all, and of each what its type has, but no secret', async () => {
    await givenStores(...stores)
    const { $metadata, ...answer } = await kms.send(new DescribeCustomKeyStoresCommand({}))
    const proxy = {
      Connectivity: 'PUBLIC_ENDPOINT',
      AccessKeyId: PROXY.accessKeyId,
      UriEndpoint: PROXY.uriEndpoint,
      UriPath: PROXY.uriPath,
    }
    expect(answer).toEqual({
      Truncated: false,
      CustomKeyStores: [
        {
          ...expected[0],
          CloudHsmClusterId: CLUSTER.clusterId,
          TrustAnchorCertificate: 'certificate',
          ConnectionState: 'DISCONNECTED',
        },
        { ...expected[1], ConnectionState: 'CONNECTED', XksProxyConfiguration: proxy },
        {
          ...expected[2],
          ConnectionState: 'FAILED',
          ConnectionErrorCode: 'XKS_PROXY_TIMED_OUT',
          XksProxyConfiguration: {
            ...proxy,
            Connectivity: 'VPC_ENDPOINT_SERVICE',
            UriEndpoint: PRIVATE_PROXY.uriEndpoint,
            VpcEndpointServiceName: SERVICE,
            VpcEndpointServiceOwner: '111122223333',
          },
        },
      ],
    })
  })

  test('finds one by its id or its name', async () => {
    await givenStores(...stores)
    for (const input of [{ CustomKeyStoreId: stores[1]?.id }, { CustomKeyStoreName: 'store 2' }]) {
      const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand(input))
      expect(CustomKeyStores).toMatchObject([expected[1]])
    }
    const both = { CustomKeyStoreId: stores[1]?.id, CustomKeyStoreName: 'store 2' }
    const attempt = kms.send(new DescribeCustomKeyStoresCommand(both))
    expect((await refusalOf(attempt)).name).toBe('ValidationException')
  })

  test.for([{ CustomKeyStoreId: 'cks-1' }, { CustomKeyStoreName: 'none' }])(
    'does not find %j',
    async (input) => {
      await givenStores(...stores)
      const attempt = kms.send(new DescribeCustomKeyStoresCommand(input))
      expect(await refusalOf(attempt)).toEqual(bare('CustomKeyStoreNotFoundException'))
    },
  )

  test('comes in pages', async () => {
    await givenStores(...stores)
    const seen: (string | undefined)[] = []
    let Marker: string | undefined
    do {
      const page = await kms.send(new DescribeCustomKeyStoresCommand({ Limit: 1, Marker }))
      seen.push(...(page.CustomKeyStores ?? []).map(({ CustomKeyStoreId }) => CustomKeyStoreId))
      expect(page.Truncated).toBe(page.NextMarker !== undefined)
      Marker = page.NextMarker
    } while (Marker !== undefined)
    expect(seen).toEqual(stores.map(({ id }) => id))
    const foreign = kms.send(new DescribeCustomKeyStoresCommand({ Marker: 'AAAA' }))
    expect(await refusalOf(foreign)).toEqual(bare('InvalidMarkerException'))
  })

  test('shows those of its Region alone', async () => {
    await givenStores(...stores)
    const { CustomKeyStores } = await stack.kms(WEST).send(new DescribeCustomKeyStoresCommand({}))
    expect(CustomKeyStores).toEqual([])
  })
})

describe('ConnectCustomKeyStore', () => {
  test.for([
    [CLUSTER, 'CLUSTER_NOT_FOUND'],
    [PROXY, 'XKS_PROXY_NOT_REACHABLE'],
    [PRIVATE_PROXY, 'XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND'],
  ] as const)('begins, and fails after a while: %j', async ([definition, code]) => {
    const store = storeOf(1, { definition })
    await givenStores(store)
    const { $metadata, ...answer } = await connect(store)
    expect(answer).toEqual({})
    const connecting = await shown(store)
    expect(connecting?.ConnectionState).toBe('CONNECTING')
    expect(connecting).not.toHaveProperty('ConnectionErrorCode')
    clock.offset += 1000
    expect(await shown(store)).toMatchObject({
      ConnectionState: 'FAILED',
      ConnectionErrorCode: code,
    })
  })

  test('leaves a connected store, and one that is being connected, as they are', async () => {
    const soon: StoreConnection = {
      state: 'CONNECTING',
      until: clock.now() + 60_000,
      errorCode: null,
    }
    const stores = [storeOf(1, { connection: connected }), storeOf(2, { connection: soon })]
    await givenStores(...stores)
    for (const store of stores) await connect(store)
    expect((await shown(storeOf(1)))?.ConnectionState).toBe('CONNECTED')
    expect((await shown(storeOf(2)))?.ConnectionState).toBe('CONNECTING')
    clock.offset += 60_000
    expect((await shown(storeOf(2)))?.ConnectionState).toBe('CONNECTED')
  })
})

describe('DisconnectCustomKeyStore', () => {
  test.for<[string, StoreConnection]>([
    ['connected', connected],
    ['being connected', { state: 'CONNECTING', until: Number.MAX_SAFE_INTEGER, errorCode: null }],
    ['failed', { state: 'FAILED', errorCode: 'NETWORK_ERRORS' }],
  ])('ends a connection that is %s', async ([, connection]) => {
    const store = storeOf(1, { connection })
    await givenStores(store)
    await disconnect(store)
    const shownStore = await shown(store)
    expect(shownStore?.ConnectionState).toBe('DISCONNECTING')
    expect(shownStore).not.toHaveProperty('ConnectionErrorCode')
    clock.offset += 1000
    expect((await shown(store))?.ConnectionState).toBe('DISCONNECTED')
    await connect(store)
  })
})

describe('UpdateCustomKeyStore', () => {
  test('gives another name, also to a connected store', async () => {
    for (const connection of [connected, { state: 'DISCONNECTED' } as const]) {
      const store = storeOf(1, { connection })
      await givenStores(store)
      const { $metadata, ...answer } = await update(store, { NewCustomKeyStoreName: 'renamed' })
      expect(answer).toEqual({})
      expect(await shown(store)).toMatchObject({
        CustomKeyStoreName: 'renamed',
        ConnectionState: connection.state,
      })
    }
  })

  test('keeps a new password wrapped', async () => {
    const store = storeOf(1)
    await givenStores(store)
    await update(store, { KeyStorePassword: 'correct horse' })
    const [kept] = (await customKeyStores.get(account, EAST as Region))?.stores ?? []
    expect(kept?.secret.wrapped).not.toEqual(store.secret.wrapped)
    expect(Buffer.from(kept?.secret.wrapped ?? []).toString('latin1')).not.toContain('horse')
  })

  test.for<[string, Partial<CustomKeyStore>, Partial<UpdateCustomKeyStoreCommandInput>]>([
    ['CloudHsmClusterNotFoundException', {}, { CloudHsmClusterId: 'cluster-7a23b4cdefh' }],
    [
      'XksProxyUriUnreachableException',
      { definition: PROXY },
      { XksProxyUriPath: '/b/kms/xks/v1' },
    ],
    [
      'XksProxyVpcEndpointServiceNotFoundException',
      { definition: PROXY },
      { XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE', XksProxyVpcEndpointServiceName: SERVICE },
    ],
    ['CustomKeyStoreNameInUseException', {}, { NewCustomKeyStoreName: 'store 2' }],
    ['ValidationException', {}, { XksProxyUriPath: '/kms/xks/v1' }],
    ['ValidationException', { definition: PROXY }, { KeyStorePassword: 'correct horse' }],
    [
      'ValidationException',
      { definition: PROXY },
      { XksProxyConnectivity: 'VPC_ENDPOINT_SERVICE' },
    ],
  ])('answers %s for %j with %j', async ([error, more, input]) => {
    const other = { ...PROXY, uriEndpoint: 'https://other.example.com' }
    await givenStores(storeOf(1, more), storeOf(2, { definition: other }))
    expect((await refusalOf(update(storeOf(1), input))).name).toBe(error)
    const [kept] = (await customKeyStores.get(account, EAST as Region))?.stores ?? []
    expect(kept).toEqual(storeOf(1, more))
  })
})

test('DeleteCustomKeyStore removes a disconnected store', async () => {
  await givenStores(storeOf(1), storeOf(2, { definition: PROXY }))
  const { $metadata, ...answer } = await remove(storeOf(1))
  expect(answer).toEqual({})
  const { CustomKeyStores } = await kms.send(new DescribeCustomKeyStoresCommand({}))
  expect(CustomKeyStores).toMatchObject([{ CustomKeyStoreId: storeOf(2).id }])
})

const later = Number.MAX_SAFE_INTEGER
const connections = {
  CONNECTED: connected,
  CONNECTING: { state: 'CONNECTING', until: later, errorCode: null },
  FAILED: { state: 'FAILED', errorCode: 'NETWORK_ERRORS' },
  DISCONNECTED: { state: 'DISCONNECTED' },
  DISCONNECTING: { state: 'DISCONNECTING', until: later },
} as const satisfies Record<string, StoreConnection>
type State = keyof typeof connections

describe('A store in another connection state is refused:', () => {
  const changes: readonly [
    string,
    (store: CustomKeyStore) => Promise<unknown>,
    readonly State[],
  ][] = [
    ['ConnectCustomKeyStore', connect, ['DISCONNECTING', 'FAILED']],
    ['DisconnectCustomKeyStore', disconnect, ['DISCONNECTING', 'DISCONNECTED']],
    ['DeleteCustomKeyStore', remove, ['CONNECTED', 'CONNECTING', 'FAILED', 'DISCONNECTING']],
    [
      'UpdateCustomKeyStore with a name',
      (store) => update(store, { NewCustomKeyStoreName: 'x' }),
      ['CONNECTING', 'FAILED', 'DISCONNECTING'],
    ],
    [
      'UpdateCustomKeyStore with a password',
      (store) => update(store, { KeyStorePassword: 'correct horse' }),
      ['CONNECTED', 'CONNECTING', 'FAILED', 'DISCONNECTING'],
    ],
    [
      'CreateKey',
      ({ id }) => kms.send(new CreateKeyCommand({ CustomKeyStoreId: id, Origin: 'AWS_CLOUDHSM' })),
      ['CONNECTING', 'FAILED', 'DISCONNECTED', 'DISCONNECTING'],
    ],
    [
      'GenerateRandom',
      ({ id }) => kms.send(new GenerateRandomCommand({ NumberOfBytes: 8, CustomKeyStoreId: id })),
      ['CONNECTING', 'FAILED', 'DISCONNECTED', 'DISCONNECTING'],
    ],
  ]
  test.for(
    changes.flatMap(([name, change, states]) =>
      states.map((state) => [name, state, change] as const),
    ),
  )('%s, %s', async ([, state, change]) => {
    const store = storeOf(1, { connection: connections[state] })
    await givenStores(store)
    expect(await refusalOf(change(store))).toEqual(bare('CustomKeyStoreInvalidStateException'))
  })

  test.for(changes)('%s does not find a store that is not there', async ([, change]) => {
    expect(await refusalOf(change(storeOf(9)))).toEqual(bare('CustomKeyStoreNotFoundException'))
  })
})

describe('In a connected store', () => {
  const createKey = (input: CreateKeyCommandInput) =>
    refusalOf(kms.send(new CreateKeyCommand({ CustomKeyStoreId: storeOf(1).id, ...input })))

  test('no key is made, since nothing stands behind it', async () => {
    await givenStores(storeOf(1, { connection: connected }))
    expect(await createKey({ Origin: 'AWS_CLOUDHSM' })).toEqual(
      bare('CloudHsmClusterInvalidConfigurationException'),
    )
    await givenStores(storeOf(1, { definition: PROXY, connection: connected }))
    expect(await createKey({ Origin: 'EXTERNAL_KEY_STORE', XksKeyId: 'a' })).toEqual(
      bare('XksKeyNotFoundException'),
    )
    expect((await createKey({ Origin: 'EXTERNAL_KEY_STORE' })).name).toBe('ValidationException')
  })

  test.for<CreateKeyCommandInput>([
    {},
    { Origin: 'AWS_KMS' },
    { Origin: 'EXTERNAL' },
    { Origin: 'EXTERNAL_KEY_STORE', XksKeyId: 'a' },
    { Origin: 'AWS_CLOUDHSM', MultiRegion: true },
    { Origin: 'AWS_CLOUDHSM', KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  ])('there can be no key like %j', async (input) => {
    await givenStores(storeOf(1, { connection: connected }))
    expect(await createKey(input)).toEqual(bare('UnsupportedOperationException'))
  })

  test('nothing is drawn at random: not elsewhere instead, and never from an external one', async () => {
    const random = { NumberOfBytes: 8, CustomKeyStoreId: storeOf(1).id }
    await givenStores(storeOf(1, { connection: connected }))
    expect(await refusalOf(kms.send(new GenerateRandomCommand(random)))).toMatchObject({
      name: 'DependencyTimeoutException',
      status: 503,
    })
    await givenStores(storeOf(1, { definition: PROXY, connection: connected }))
    expect(await refusalOf(kms.send(new GenerateRandomCommand(random)))).toEqual(
      bare('UnsupportedOperationException'),
    )
  })
})

test('Each operation needs its own permission, on everything', async () => {
  const user = await stack.user([{ Effect: 'Allow', Action: 'kms:CreateKey', Resource: '*' }])
  const by = clientOf(user, EAST)
  const CustomKeyStoreId = storeOf(1).id
  const attempts = {
    CreateCustomKeyStore: by.send(new CreateCustomKeyStoreCommand(OVER_CLUSTER)),
    UpdateCustomKeyStore: by.send(new UpdateCustomKeyStoreCommand({ CustomKeyStoreId })),
    DeleteCustomKeyStore: by.send(new DeleteCustomKeyStoreCommand({ CustomKeyStoreId })),
    DescribeCustomKeyStores: by.send(new DescribeCustomKeyStoresCommand({})),
    ConnectCustomKeyStore: by.send(new ConnectCustomKeyStoreCommand({ CustomKeyStoreId })),
    DisconnectCustomKeyStore: by.send(new DisconnectCustomKeyStoreCommand({ CustomKeyStoreId })),
  }
  for (const [name, attempt] of Object.entries(attempts)) {
    const refusal = await refusalOf(attempt)
    expect(refusal.name).toBe('AccessDeniedException')
    expect(refusal.message).toMatch(`not authorized to perform: kms:${name}`)
  }
})
