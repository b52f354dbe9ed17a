/** Members of the requests about custom key stores, with the constraints of the service model (2014-11-01). */
import type { KeyStoreMembers } from '../../shared/keys/key-store-definition.ts'
import { oneOf, required, string, structure } from '../../shared/pipeline/shape.ts'

export const customKeyStoreName = string({ min: 1, max: 256 })
export const customKeyStoreType = oneOf(['AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'])
export const trustAnchorCertificate = string({ min: 1, max: 5000 })

/** What a store stands for, and its secret, which is never shown. */
export const keyStoreMembers = {
  CloudHsmClusterId: string({
    min: 19,
    max: 24,
    pattern: /^cluster-[2-7a-zA-Z]{11,16}$/,
    patternText: 'cluster-[2-7a-zA-Z]{11,16}',
  }),
  KeyStorePassword: string({ min: 7, max: 32, sensitive: true }),
  XksProxyUriEndpoint: string({
    min: 10,
    max: 128,
    pattern: /^https:\/\/[a-zA-Z0-9.-]+$/,
    patternText: '^https://[a-zA-Z0-9.-]+$',
  }),
  XksProxyUriPath: string({
    min: 10,
    max: 128,
    pattern: /^(\/[a-zA-Z0-9/_-]+\/kms\/xks\/v\d{1,2})$|^(\/kms\/xks\/v\d{1,2})$/,
    patternText: '^(/[a-zA-Z0-9\\/_-]+/kms/xks/v\\d{1,2})$|^(/kms/xks/v\\d{1,2})$',
  }),
  XksProxyVpcEndpointServiceName: string({
    min: 20,
    max: 64,
    pattern: /^(com|eu)\.amazonaws\.vpce\.([a-z]+-){2,3}\d+\.vpce-svc-[0-9a-z]+$/,
  }),
  XksProxyVpcEndpointServiceOwner: string({
    min: 12,
    max: 12,
    pattern: /^[0-9]{12}$/,
    patternText: '[0-9]{12}',
  }),
  XksProxyAuthenticationCredential: structure({
    AccessKeyId: required(string({ min: 20, max: 30, pattern: /^[A-Z2-7]+$/, sensitive: true })),
    RawSecretAccessKey: required(
      string({
        min: 43,
        max: 64,
        pattern: /^[a-zA-Z0-9/+=]+$/,
        patternText: '^[a-zA-Z0-9\\/+=]+$',
        sensitive: true,
      }),
    ),
  }),
  XksProxyConnectivity: oneOf(['PUBLIC_ENDPOINT', 'VPC_ENDPOINT_SERVICE']),
} as const

/** As CloudTrail shows them: everything but the password and the credential. */
export const auditedStore = (members: KeyStoreMembers): Readonly<Record<string, unknown>> => ({
  clusterId: members.CloudHsmClusterId,
  trustAnchorCertificate: members.TrustAnchorCertificate,
  customKeyStoreType: members.CustomKeyStoreType,
  xksProxyUriEndpoint: members.XksProxyUriEndpoint,
  xksProxyUriPath: members.XksProxyUriPath,
  xksProxyVpcEndpointServiceName: members.XksProxyVpcEndpointServiceName,
  xksProxyVpcEndpointServiceOwner: members.XksProxyVpcEndpointServiceOwner,
  xksProxyConnectivity: members.XksProxyConnectivity,
})
