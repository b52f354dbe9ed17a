/**
 * What stands behind a custom key store: a CloudHSM cluster, or the proxy of an external key manager.
 * There is one backend so far, which reaches none of them and says so in the words in which AWS does.
 */
import { JsonError } from '../errors.ts'
import type { ConnectionErrorCode, KeyStoreDefinition } from '../store/records.ts'

export interface KeyStoreBackend {
  /**
   * Looks at what a store is to stand for, before there is such a store.
   * @throws JsonError one of the errors of clusters and proxies when it cannot
   */
  inspect(definition: KeyStoreDefinition): Promise<void>
  /** @returns why a store cannot be connected; `null` when it can */
  connect(definition: KeyStoreDefinition): Promise<ConnectionErrorCode | null>
  /** Makes a key in a connected store. @throws JsonError as long as none can be kept */
  createKey(definition: KeyStoreDefinition): Promise<never>
  /** @returns bytes that the cluster drew, for the caller to wipe. @throws JsonError when it cannot */
  random(definition: KeyStoreDefinition, length: number): Promise<Buffer>
}

type Choice<Value> = {
  readonly cluster: Value
  readonly publicProxy: Value
  readonly privateProxy: Value
}

function choose<Value>(definition: KeyStoreDefinition, choice: Choice<Value>): Value {
  if (definition.type === 'AWS_CLOUDHSM') return choice.cluster
  return definition.connectivity === 'PUBLIC_ENDPOINT' ? choice.publicProxy : choice.privateProxy
}

/** Reaches no cluster and no proxy. */
export const unreachable: KeyStoreBackend = {
  async inspect(definition) {
    throw new JsonError(
      choose(definition, {
        cluster: 'CloudHsmClusterNotFoundException',
        publicProxy: 'XksProxyUriUnreachableException',
        privateProxy: 'XksProxyVpcEndpointServiceNotFoundException',
      }),
    )
  },
  connect: async (definition) =>
    choose(definition, {
      cluster: 'CLUSTER_NOT_FOUND',
      publicProxy: 'XKS_PROXY_NOT_REACHABLE',
      privateProxy: 'XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND',
    }),
  async createKey(definition) {
    throw new JsonError(
      choose(definition, {
        cluster: 'CloudHsmClusterInvalidConfigurationException',
        publicProxy: 'XksKeyNotFoundException',
        privateProxy: 'XksKeyNotFoundException',
      }),
    )
  },
  async random() {
    throw new JsonError(
      'DependencyTimeoutException',
      'The cluster of the custom key store did not answer. You can retry the request.',
    )
  },
}
