/** Where calls go, as whom and for which Region: from flags, variables, profiles, the local stack. */
import { Failure, WrongUsage } from '../problem.ts'
import { type LocalStack, readLocalStack } from './local-stack.ts'
import { type Credentials, type Profile, readProfile } from './profiles.ts'

export interface Connection {
  /** Without a path: `http://localhost:4566`. */
  readonly endpoint: string
  readonly region: string
  readonly credentials: Credentials
  /** Where the credentials are from, for people. */
  readonly source: string
}

/** The flags that every command takes. */
export interface ConnectionFlags {
  readonly endpoint?: string
  readonly region?: string
  readonly profile?: string
  /** As the operator of the local stack. */
  readonly operator?: boolean
}

export type Variables = Readonly<Record<string, string | undefined>>

export const DEFAULT_ENDPOINT = 'http://localhost:4566'
export const DEFAULT_REGION = 'us-east-1'
const DEFAULT_DATA_DIR = '.keyhold'

/**
 * The endpoint: `--endpoint`, KEYHOLD_ENDPOINT, AWS_ENDPOINT_URL, the profile's, the local stack's,
 * port 4566 of this machine. The credentials: `--profile`, the AWS_… variables, AWS_PROFILE, those
 * of the local stack when calls go there, the default profile.
 * @param usual - whose credentials the local stack lends when nothing else says who calls
 * @throws WrongUsage for an endpoint or a profile that there is not, Failure without credentials
 */
export function connect(
  flags: ConnectionFlags,
  variables: Variables,
  usual: 'administrator' | 'operator' = 'administrator',
): Connection {
  if (flags.operator && flags.profile !== undefined) {
    throw new WrongUsage('--operator and --profile both say who calls: give one of them.')
  }
  const asked = flags.operator ? null : askedCredentials(flags, variables)
  const profile = asked === null ? null : asked.profile
  const dataDir = variables.KEYHOLD_DATA_DIR || DEFAULT_DATA_DIR
  const local = readLocalStack(dataDir, flags.operator ? 'operator' : usual)
  const endpoint = parseEndpoint(
    flags.endpoint ||
      variables.KEYHOLD_ENDPOINT ||
      variables.AWS_ENDPOINT_URL ||
      profile?.endpoint ||
      (asked === null && local?.endpoint) ||
      DEFAULT_ENDPOINT,
  )
  const lent = localCredentials(local, endpoint)
  if (flags.operator && lent === null) {
    throw new Failure(`${dataDir} has no credentials of an operator of ${endpoint}.`)
  }
  const signer = asked ?? lent ?? defaultProfile(variables)
  if (signer === null) {
    throw new Failure(
      'There are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, choose a profile by --profile, ' +
        'make one with "keyhold configure", or start the command where the local stack was started.',
    )
  }
  const region =
    flags.region ||
    variables.AWS_REGION ||
    variables.AWS_DEFAULT_REGION ||
    signer.profile?.region ||
    DEFAULT_REGION
  return { endpoint, region, credentials: signer.credentials, source: signer.source }
}

interface Signer {
  readonly credentials: Credentials
  readonly source: string
  readonly profile: Pick<Profile, 'region' | 'endpoint'> | null
}

/** @returns what somebody chose for this call; `null` when nobody did */
function askedCredentials(flags: ConnectionFlags, variables: Variables): Signer | null {
  if (flags.profile !== undefined) return namedProfile(flags.profile, variables)
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_PROFILE } = variables
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    const credentials = {
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      ...(AWS_SESSION_TOKEN ? { sessionToken: AWS_SESSION_TOKEN } : {}),
    }
    return { credentials, source: 'the environment', profile: null }
  }
  return AWS_PROFILE ? namedProfile(AWS_PROFILE, variables) : null
}

function namedProfile(name: string, variables: Variables): Signer {
  const profile = readProfile(name, variables)
  if (profile === null) throw new WrongUsage(`There is no profile ${JSON.stringify(name)}.`)
  if (profile.credentials === null) {
    throw new Failure(
      `The profile ${JSON.stringify(name)} has no access key: profiles of roles, of single sign-on and of other programs are not read.`,
    )
  }
  return { credentials: profile.credentials, source: `the profile ${name}`, profile }
}

function defaultProfile(variables: Variables): Signer | null {
  const profile = readProfile('default', variables)
  if (profile === null || profile.credentials === null) return null
  return { credentials: profile.credentials, source: 'the profile default', profile }
}

/** Credentials of a stack are for that stack only. */
function localCredentials(local: LocalStack | null, endpoint: string): Signer | null {
  if (local === null || ownName(local.endpoint) !== ownName(endpoint)) return null
  const { credentials, region, path } = local
  return { credentials, source: path, profile: { region, endpoint: null } }
}

/** Two names of this machine are one. */
const ownName = (endpoint: string): string =>
  endpoint.replace(/^http:\/\/(?:127\.0\.0\.1|\[::1\])(?=:|$)/, 'http://localhost')

function parseEndpoint(text: string): string {
  const url = URL.parse(text)
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.pathname !== '/' ||
    url.search !== ''
  ) {
    throw new WrongUsage(
      `The endpoint must be a URL without a path such as ${DEFAULT_ENDPOINT}, not ${JSON.stringify(text)}.`,
    )
  }
  return url.origin
}
