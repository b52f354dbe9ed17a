/**
 * What a request says of a custom key store (AWS KMS API reference, "CreateCustomKeyStore" and
 * "UpdateCustomKeyStore"): which members belong to which type, and what no two stores may share.
 */
import { JsonError } from '../errors.ts'
import type {
  CloudHsmDefinition,
  CustomKeyStore,
  ExternalDefinition,
  KeyStoreDefinition,
} from '../store/records.ts'

export interface KeyStoreMembers {
  readonly CloudHsmClusterId?: string
  readonly TrustAnchorCertificate?: string
  readonly KeyStorePassword?: string
  readonly CustomKeyStoreType?: KeyStoreDefinition['type']
  readonly XksProxyUriEndpoint?: string
  readonly XksProxyUriPath?: string
  readonly XksProxyVpcEndpointServiceName?: string
  readonly XksProxyVpcEndpointServiceOwner?: string
  readonly XksProxyAuthenticationCredential?: {
    readonly AccessKeyId: string
    readonly RawSecretAccessKey: string
  }
  readonly XksProxyConnectivity?: ExternalDefinition['connectivity']
}

/** A definition with its secret: a password, or a raw secret access key in base64. */
export interface GivenStore {
  readonly definition: KeyStoreDefinition
  readonly secret: string
}

const CLUSTER_MEMBERS = ['CloudHsmClusterId', 'TrustAnchorCertificate', 'KeyStorePassword'] as const
const PROXY_MEMBERS = [
  'XksProxyUriEndpoint',
  'XksProxyUriPath',
  'XksProxyVpcEndpointServiceName',
  'XksProxyVpcEndpointServiceOwner',
  'XksProxyAuthenticationCredential',
  'XksProxyConnectivity',
] as const

/** @throws JsonError ValidationException for members that are missing, or that the type does not have */
export function requireDefinition(members: KeyStoreMembers): GivenStore {
  const type = members.CustomKeyStoreType ?? 'AWS_CLOUDHSM'
  refuseForeignMembers(members, type)
  return type === 'AWS_CLOUDHSM' ? requireCluster(members) : requireProxy(members)
}

/** @throws JsonError ValidationException when a member belongs to stores of the other type */
export function refuseForeignMembers(
  members: KeyStoreMembers,
  type: KeyStoreDefinition['type'],
): void {
  const foreign = type === 'AWS_CLOUDHSM' ? PROXY_MEMBERS : CLUSTER_MEMBERS
  const given = foreign.find((name) => members[name] !== undefined)
  if (given !== undefined) {
    throw invalid(`${given} is not valid for a custom key store of type ${type}.`)
  }
}

function requireCluster(members: KeyStoreMembers): GivenStore {
  const type = 'AWS_CLOUDHSM'
  const clusterId = present('CloudHsmClusterId', members.CloudHsmClusterId, type)
  const secret = present('KeyStorePassword', members.KeyStorePassword, type)
  const trustAnchorCertificate = present(
    'TrustAnchorCertificate',
    members.TrustAnchorCertificate,
    type,
  )
  return { definition: { type, clusterId, trustAnchorCertificate }, secret }
}

function requireProxy(members: KeyStoreMembers): GivenStore {
  const type = 'EXTERNAL_KEY_STORE'
  const connectivity = present('XksProxyConnectivity', members.XksProxyConnectivity, type)
  const uriEndpoint = present('XksProxyUriEndpoint', members.XksProxyUriEndpoint, type)
  const uriPath = present('XksProxyUriPath', members.XksProxyUriPath, type)
  const credential = present(
    'XksProxyAuthenticationCredential',
    members.XksProxyAuthenticationCredential,
    type,
  )
  const definition: ExternalDefinition = {
    type,
    connectivity,
    uriEndpoint,
    uriPath,
    ...requireService(connectivity, members),
    accessKeyId: credential.AccessKeyId,
  }
  return { definition, secret: credential.RawSecretAccessKey }
}

type Service = Pick<ExternalDefinition, 'vpcEndpointServiceName' | 'vpcEndpointServiceOwner'>

const NO_SERVICE: Service = { vpcEndpointServiceName: null, vpcEndpointServiceOwner: null }

function requireService(
  connectivity: ExternalDefinition['connectivity'],
  members: KeyStoreMembers,
  before: Service = NO_SERVICE,
): Service {
  const name = members.XksProxyVpcEndpointServiceName
  const owner = members.XksProxyVpcEndpointServiceOwner
  if (connectivity === 'PUBLIC_ENDPOINT') {
    if (name === undefined && owner === undefined) return NO_SERVICE
    throw invalid('A VPC endpoint service is not valid with connectivity PUBLIC_ENDPOINT.')
  }
  const vpcEndpointServiceName = name ?? before.vpcEndpointServiceName
  if (vpcEndpointServiceName === null) {
    throw invalid(
      'XksProxyVpcEndpointServiceName is required with connectivity VPC_ENDPOINT_SERVICE.',
    )
  }
  return {
    vpcEndpointServiceName,
    vpcEndpointServiceOwner: owner ?? before.vpcEndpointServiceOwner,
  }
}

/**
 * @returns what a store stands for after an update
 * @throws JsonError ValidationException as `requireDefinition`
 */
export function updatedDefinition(
  present: KeyStoreDefinition,
  members: KeyStoreMembers,
): KeyStoreDefinition {
  refuseForeignMembers(members, present.type)
  if (present.type === 'AWS_CLOUDHSM') {
    return { ...present, clusterId: members.CloudHsmClusterId ?? present.clusterId }
  }
  const connectivity = members.XksProxyConnectivity ?? present.connectivity
  return {
    ...present,
    connectivity,
    uriEndpoint: members.XksProxyUriEndpoint ?? present.uriEndpoint,
    uriPath: members.XksProxyUriPath ?? present.uriPath,
    ...requireService(connectivity, members, present),
    accessKeyId: members.XksProxyAuthenticationCredential?.AccessKeyId ?? present.accessKeyId,
  }
}

/** @throws JsonError for a name, a cluster or an address that another store has */
export function requireUnique(
  name: string,
  definition: KeyStoreDefinition,
  others: readonly CustomKeyStore[],
): void {
  if (others.some((other) => other.name === name)) {
    throw new JsonError('CustomKeyStoreNameInUseException')
  }
  for (const { definition: other } of others) {
    if (definition.type === 'AWS_CLOUDHSM') {
      if (other.type === 'AWS_CLOUDHSM') requireOtherCluster(definition, other)
    } else if (other.type === 'EXTERNAL_KEY_STORE') requireOtherProxy(definition, other)
  }
}

function requireOtherCluster(one: CloudHsmDefinition, other: CloudHsmDefinition): void {
  if (one.clusterId === other.clusterId) throw new JsonError('CloudHsmClusterInUseException')
}

/** Only stores with public endpoints share one, under different paths. */
function requireOtherProxy(one: ExternalDefinition, other: ExternalDefinition): void {
  const sameEndpoint = one.uriEndpoint === other.uriEndpoint
  if (sameEndpoint && one.uriPath === other.uriPath)
    throw new JsonError('XksProxyUriInUseException')
  const arePublic = [one, other].every(({ connectivity }) => connectivity === 'PUBLIC_ENDPOINT')
  if (sameEndpoint && !arePublic) throw new JsonError('XksProxyUriEndpointInUseException')
  const service = one.vpcEndpointServiceName
  if (service !== null && service === other.vpcEndpointServiceName) {
    throw new JsonError('XksProxyVpcEndpointServiceInUseException')
  }
}

function present<Value>(name: string, value: Value | undefined, type: string): Value {
  if (value !== undefined) return value
  throw invalid(`${name} is required for a custom key store of type ${type}.`)
}

const invalid = (text: string): JsonError => new JsonError('ValidationException', text)
