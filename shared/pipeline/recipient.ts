/**
 * Answers for an enclave alone (AWS KMS Developer Guide, "Cryptographic attestation support"): a
 * request that brings an attestation document gets its secret encrypted under the public key in the
 * document, and never in plaintext.
 */
import { type Attestation, AttestationRefused, verifyAttestation } from '../authn/attestation.ts'
import { attestationRoots } from '../authn/attestation-roots.ts'
import { envelop } from '../crypto/cms-enveloped-data.ts'
import { JsonError } from '../errors.ts'
import type { recipient } from './kms-members.ts'
import type { Call, Operation } from './operation.ts'
import type { Input as InputOf } from './shape.ts'

type Recipient = InputOf<typeof recipient>
type RecipientRequest = { readonly Recipient?: Recipient }
/** The member of an answer that is secret. */
type SecretMember = 'Plaintext' | 'PrivateKeyPlaintext' | 'SharedSecret'

/** An answer whose secret is encrypted for the recipient. */
export type ForRecipient<Output> = Omit<Output, SecretMember | 'KeyMaterialId'> & {
  readonly CiphertextForRecipient: Buffer
}

type Examined =
  | { readonly attestation: Attestation }
  /** What the caller is told, once it is known to be allowed to call. */
  | { readonly refusal: unknown }

/** Each step of a call looks at the document; it is verified at the first. */
const examined = new WeakMap<Recipient, Examined>()
/** What the record of an answer for a recipient says of it. */
const recorded = new WeakMap<object, Readonly<Record<string, unknown>>>()

/**
 * The operation, for callers who may bring an attestation document. Policies can ask what is in the
 * document, so it is verified before they are asked; what is wrong with it is told after that.
 * @param member - of the answer, that holds the secret
 */
export function withRecipient<
  Request extends RecipientRequest,
  Output extends { readonly [K in Member]: Buffer },
  Role extends string,
  Member extends SecretMember & keyof Output,
>(
  operation: Operation<Request, Output, Role>,
  member: Member,
): Operation<Request, Output | ForRecipient<Output>, Role> {
  const { audit, dryRun, explain, keys } = operation
  return {
    service: operation.service,
    name: operation.name,
    input: operation.input,
    readOnly: operation.readOnly,
    ...(keys === undefined ? {} : { keys: (input, call) => keys.call(operation, input, call) }),
    ...(dryRun === undefined ? {} : { dryRun }),
    ...(explain === undefined ? {} : { explain }),
    async permissions(input, call) {
      if (input.Recipient !== undefined) await examine(input.Recipient, call)
      return (await operation.permissions?.(input, call)) ?? []
    },
    conditions(input, role) {
      const conditions = operation.conditions?.(input, role) ?? {}
      const attestation = attestationOf(input)
      if (attestation === null) return conditions
      return { ...conditions, others: { ...conditions.others, ...conditionsOf(attestation) } }
    },
    check(input, found, call) {
      operation.check?.(input, found, call)
      const outcome = input.Recipient && examined.get(input.Recipient)
      if (outcome !== undefined && 'refusal' in outcome) throw outcome.refusal
    },
    async run(input, found, call) {
      const output = await operation.run(input, found, call)
      if (input.Recipient === undefined) return output
      const attestation = requireAttestation(input)
      const answer = answerRecipient(output, member, attestation)
      const recipient = recordOf(attestation)
      recorded.set(answer, { ...audit.additionalEventData?.(output, input), recipient })
      return answer
    },
    // The answers are secrets, so their records have no response elements.
    audit: {
      requestParameters: (input, found) => audit.requestParameters(input, found),
      additionalEventData: (output, input) =>
        recorded.get(output) ?? audit.additionalEventData?.(output as Output, input) ?? null,
    },
  }
}

async function examine(recipient: Recipient, call: Call): Promise<void> {
  try {
    examined.set(recipient, { attestation: await attest(recipient, call) })
  } catch (error) {
    const refusal =
      error instanceof AttestationRefused
        ? new JsonError('ValidationException', error.message, { cause: error })
        : error
    examined.set(recipient, { refusal })
  }
}

async function attest(
  { AttestationDocument }: Recipient,
  { services }: Call,
): Promise<Attestation> {
  const roots = await attestationRoots()
  if (roots === null) throw new JsonError('UnsupportedOperationException')
  if (AttestationDocument === undefined) {
    throw new AttestationRefused('The recipient has no attestation document.')
  }
  return await verifyAttestation(AttestationDocument, roots, services.wallClock.now())
}

function attestationOf({ Recipient }: RecipientRequest): Attestation | null {
  const outcome = Recipient && examined.get(Recipient)
  return outcome !== undefined && 'attestation' in outcome ? outcome.attestation : null
}

/** The secret must not leave in any other way, whatever went wrong before. */
function requireAttestation(input: RecipientRequest): Attestation {
  const attestation = attestationOf(input)
  if (attestation === null) throw new Error('A recipient that was not verified.')
  return attestation
}

/** Condition keys for AWS Nitro Enclaves and NitroTPM (AWS KMS Developer Guide). */
function conditionsOf({ platform, pcrs }: Attestation): Readonly<Record<string, string>> {
  const prefix = 'kms:recipientattestation:'
  const register = platform === 'enclave' ? 'pcr' : 'nitrotpmpcr'
  const entries = [...pcrs].map(([index, value]) => [`${prefix}${register}${index}`, hex(value)])
  const image = platform === 'enclave' ? pcrs.get(0) : undefined
  if (image !== undefined) entries.push([`${prefix}imagesha384`, hex(image)])
  return Object.fromEntries(entries)
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/**
 * @param output - its secret is wiped
 * @returns the answer without the secret and the material's id, and with the secret encrypted
 */
export function answerRecipient<
  Output extends { readonly [K in Member]: Buffer },
  Member extends SecretMember & keyof Output,
>(output: Output, member: Member, { publicKey }: Attestation): ForRecipient<Output> {
  const secret = output[member]
  try {
    const { [member]: _secret, KeyMaterialId: _id, ...shown } = { KeyMaterialId: null, ...output }
    const CiphertextForRecipient = envelop(publicKey, secret)
    return { ...shown, CiphertextForRecipient } as unknown as ForRecipient<Output>
  } finally {
    secret.fill(0)
  }
}

/** Registers that CloudTrail shows of an enclave: image, kernel, application, role, instance, signer. */
const RECORDED_PCRS = [1, 2, 3, 4, 8]

/** AWS KMS Developer Guide, "Monitoring requests for Nitro Enclaves". */
function recordOf({ moduleId, platform, pcrs }: Attestation): Readonly<Record<string, string>> {
  const image = pcrs.get(0)
  const isEnclave = platform === 'enclave'
  const name = isEnclave ? 'attestationDocumentEnclavePCR' : 'attestationDocumentNitroTPMPCR'
  const registers = RECORDED_PCRS.flatMap((index) => {
    const value = pcrs.get(index)
    return value === undefined ? [] : [[`${name}${index}`, hex(value)]]
  })
  return {
    attestationDocumentModuleId: moduleId,
    ...(isEnclave && image !== undefined
      ? { attestationDocumentEnclaveImageDigest: hex(image) }
      : {}),
    ...Object.fromEntries(registers),
  }
}
