import type { Operation } from '../../shared/pipeline/operation.ts'
import { structure } from '../../shared/pipeline/shape.ts'
import { statementVerifier } from '../../shared/tenants/destruction.ts'

const request = structure({})

export interface GetSigningKeyResponse {
  /** PEM. */
  readonly PublicKey: string
  readonly SigningAlgorithm: 'ED25519'
}

/** What verifies the statements that this deployment signs. For everyone who can sign in. */
export const getSigningKey: Operation<object, GetSigningKeyResponse> = {
  service: 'keyhold',
  name: 'GetSigningKey',
  input: request,
  readOnly: true,
  run: async (_input, _keys, { services }) => ({
    PublicKey: await statementVerifier(services.tenantKeys),
    SigningAlgorithm: 'ED25519',
  }),
  audit: { requestParameters: () => null },
}
