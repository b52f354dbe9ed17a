import { JsonError } from '../../shared/errors.ts'
import { listStores } from '../../shared/keys/custom-key-stores.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { keyStoreScope } from '../../shared/pipeline/key-store-scope.ts'
import { customKeyStoreId, limit, marker } from '../../shared/pipeline/kms-members.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import { type Listed, listPage } from '../../shared/pipeline/paging.ts'
import { type Input, structure } from '../../shared/pipeline/shape.ts'
import type { CustomKeyStore, ExternalDefinition } from '../../shared/store/records.ts'
import { customKeyStoreName } from './custom-key-store-members.ts'

const request = structure({
  CustomKeyStoreId: customKeyStoreId,
  CustomKeyStoreName: customKeyStoreName,
  Limit: limit,
  Marker: marker,
})
type DescribeRequest = Input<typeof request>

interface ListedStore {
  readonly CustomKeyStoreId: string
  readonly CustomKeyStoreName: string
  readonly CloudHsmClusterId?: string
  readonly TrustAnchorCertificate?: string
  readonly ConnectionState: string
  readonly ConnectionErrorCode?: string
  readonly CreationDate: Date
  readonly CustomKeyStoreType: string
  readonly XksProxyConfiguration?: {
    readonly Connectivity: string
    readonly AccessKeyId: string
    readonly UriEndpoint: string
    readonly UriPath: string
    readonly VpcEndpointServiceName?: string
    readonly VpcEndpointServiceOwner?: string
  }
}

export interface DescribeCustomKeyStoresResponse extends Listed {
  readonly CustomKeyStores: readonly ListedStore[]
}

/** The custom key stores of the caller's account in the Region, or the one of an id or a name. */
export const describeCustomKeyStores: Operation<DescribeRequest, DescribeCustomKeyStoresResponse> =
  {
    service: 'kms',
    name: 'DescribeCustomKeyStores',
    input: request,
    readOnly: true,
    permissions: () => [{ action: 'kms:DescribeCustomKeyStores', resource: null }],
    check({ CustomKeyStoreId, CustomKeyStoreName }) {
      if (CustomKeyStoreId === undefined || CustomKeyStoreName === undefined) return
      throw new JsonError(
        'ValidationException',
        'You can specify CustomKeyStoreId or CustomKeyStoreName, but not both.',
      )
    },
    async run(input, _keys, call) {
      const found = await storesAskedFor(input, call)
      const { CustomKeyStoreId = '', CustomKeyStoreName = '' } = input
      const page = {
        operation: 'DescribeCustomKeyStores',
        parameters: [CustomKeyStoreId, CustomKeyStoreName],
        page: input,
        defaultLimit: 100,
        maxLimit: 1000,
      }
      const { items, ...listed } = await listPage(call, page, async (size, after) => {
        const rest = found.filter(({ id }) => after === null || id > after)
        const items = rest.slice(0, size)
        return { items, next: rest.length > size ? (items.at(-1)?.id ?? null) : null }
      })
      return { CustomKeyStores: items.map(entry), ...listed }
    },
    audit: {
      requestParameters: ({ CustomKeyStoreId, CustomKeyStoreName, Limit }) => ({
        customKeyStoreId: CustomKeyStoreId,
        customKeyStoreName: CustomKeyStoreName,
        limit: Limit,
      }),
    },
  }

/** @throws JsonError CustomKeyStoreNotFoundException when the one that is named is not there */
async function storesAskedFor(
  { CustomKeyStoreId, CustomKeyStoreName }: DescribeRequest,
  call: Call,
): Promise<readonly CustomKeyStore[]> {
  const stores = await listStores(keyStoreScope(call))
  if (CustomKeyStoreId === undefined && CustomKeyStoreName === undefined) return stores
  const named = stores.filter(
    ({ id, name }) => id === CustomKeyStoreId || name === CustomKeyStoreName,
  )
  if (named.length === 0) throw new JsonError('CustomKeyStoreNotFoundException')
  return named
}

const entry = ({ id, name, createdAt, definition, connection }: CustomKeyStore): ListedStore => ({
  CustomKeyStoreId: id,
  CustomKeyStoreName: name,
  ...(definition.type === 'AWS_CLOUDHSM'
    ? {
        CloudHsmClusterId: definition.clusterId,
        TrustAnchorCertificate: definition.trustAnchorCertificate,
      }
    : { XksProxyConfiguration: proxyConfiguration(definition) }),
  ConnectionState: connection.state,
  ...(connection.state === 'FAILED' ? { ConnectionErrorCode: connection.errorCode } : {}),
  CreationDate: new Date(createdAt),
  CustomKeyStoreType: definition.type,
})

const proxyConfiguration = (definition: ExternalDefinition) => ({
  Connectivity: definition.connectivity,
  AccessKeyId: definition.accessKeyId,
  UriEndpoint: definition.uriEndpoint,
  UriPath: definition.uriPath,
  ...(definition.vpcEndpointServiceName === null
    ? {}
    : { VpcEndpointServiceName: definition.vpcEndpointServiceName }),
  ...(definition.vpcEndpointServiceOwner === null
    ? {}
    : { VpcEndpointServiceOwner: definition.vpcEndpointServiceOwner }),
})

export const handler = jsonHandler(describeCustomKeyStores)
