/** Profiles as all of AWS's tools keep them: what they sign with, and where they go. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { Failure, WrongUsage } from '../problem.ts'
import { parseIni, type Section, withSection } from './ini.ts'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface Profile {
  /** `null` when it has none of its own. */
  readonly credentials: Credentials | null
  readonly region: string | null
  readonly endpoint: string | null
}

type Variables = Readonly<Record<string, string | undefined>>

const OWNER_ONLY = 0o600
const OWNER_ONLY_DIRECTORY = 0o700
const NAME = /^[\w.@+-]+$/

const credentialsPath = (variables: Variables): string =>
  variables.AWS_SHARED_CREDENTIALS_FILE || join(homedir(), '.aws', 'credentials')

const configPath = (variables: Variables): string =>
  variables.AWS_CONFIG_FILE || join(homedir(), '.aws', 'config')

/** `[profile name]` in the config file, save for the default one. */
const configSection = (name: string): string => (name === 'default' ? name : `profile ${name}`)

/**
 * @returns the profile, `null` when neither file names it
 * @throws Failure when a file is there and cannot be read
 */
export function readProfile(name: string, variables: Variables): Profile | null {
  const credentials = parseIni(textOf(credentialsPath(variables))).get(name)
  const config = parseIni(textOf(configPath(variables))).get(configSection(name))
  if (credentials === undefined && config === undefined) return null
  const settings: Section = { ...config, ...credentials }
  return {
    credentials: credentialsOf(settings),
    region: settings.region || null,
    endpoint: settings.endpoint_url || null,
  }
}

function credentialsOf(settings: Section): Credentials | null {
  const { aws_access_key_id, aws_secret_access_key, aws_session_token } = settings
  if (!aws_access_key_id || !aws_secret_access_key) return null
  return {
    accessKeyId: aws_access_key_id,
    secretAccessKey: aws_secret_access_key,
    ...(aws_session_token ? { sessionToken: aws_session_token } : {}),
  }
}

/** @throws WrongUsage for a name that would not be read back */
export function requireProfileName(name: string): void {
  if (!NAME.test(name)) throw new WrongUsage(`${JSON.stringify(name)} cannot name a profile.`)
}

/**
 * Writes a profile: its credentials into a file that only its owner can read, where it goes into the
 * config file. What else is in the files stays.
 * @returns the path of the file that has the secret
 */
export function saveProfile(
  name: string,
  profile: {
    readonly credentials: Credentials
    readonly region: string
    readonly endpoint: string
  },
  variables: Variables,
): string {
  requireProfileName(name)
  const { accessKeyId, secretAccessKey, sessionToken } = profile.credentials
  const path = credentialsPath(variables)
  const values = {
    aws_access_key_id: accessKeyId,
    aws_secret_access_key: secretAccessKey,
    // Empty: an earlier session's token must not go with a later key.
    aws_session_token: sessionToken ?? '',
  }
  change(path, name, sessionToken === undefined ? withoutToken(path, name, values) : values)
  change(configPath(variables), configSection(name), {
    region: profile.region,
    endpoint_url: profile.endpoint,
  })
  return path
}

/** Leaves the token out where there is none to overwrite. */
function withoutToken(path: string, name: string, values: Section): Section {
  if (parseIni(textOf(path)).get(name)?.aws_session_token !== undefined) return values
  const { aws_session_token, ...rest } = values
  return rest
}

/** By a new file in the place of the old one, so that nobody ever reads half of it. */
function change(path: string, section: string, values: Section): void {
  const text = withSection(textOf(path), section, values)
  try {
    mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_DIRECTORY })
    const real = existsSync(path) ? realpathSync(path) : path
    const temporary = `${real}.${process.pid}.new`
    writeFileSync(temporary, text, { mode: OWNER_ONLY, flag: 'wx' })
    renameSync(temporary, real)
  } catch (error) {
    throw new Failure(`${path} cannot be written: ${(error as Error).message}.`)
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw new Failure(`${path} cannot be read: ${(error as Error).message}.`)
  }
}
