/** What the local stack is started with: flags, then the environment, then defaults. */
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type AccessKeyId,
  type AccountId,
  parseAccountId,
  parseRegion,
  type Region,
} from '../../shared/ids.ts'
import { parseLongTermAccessKeyId } from '../../shared/tenants/access-key-id.ts'
import { StartProblem } from './start-problem.ts'
import { requireGoodVariables, VARIABLES } from './variables.ts'

export interface StackOptions {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  /** Absolute. */
  readonly dataDir: string
  /** At least one; the first is what clients are told to use. */
  readonly regions: readonly Region[]
  /** Further hosts that signatures may be made for, with their port: `keyhold.internal:4566`. */
  readonly publicHosts: readonly string[]
  /** Of those, the ones below which names name buckets: `s3.keyhold.internal:4566`. */
  readonly s3Hosts: readonly string[]
  /** Of the first tenant and its administrator; what is left out is made up, or kept from before. */
  readonly account?: AccountId
  readonly accessKeyId?: AccessKeyId
  readonly secretAccessKey?: string
  /** The seed file, absolute. */
  readonly seed?: string
  /** Whether there are endpoints for tests; absent: when only this machine reaches the stack. */
  readonly testEndpoints?: boolean
  /** Who those are who do not sign; absent: they are refused. */
  readonly unsignedAs?: UnsignedPrincipal
}

export interface UnsignedPrincipal {
  readonly account: AccountId
  readonly userName: string
}

/** @returns the options with defaults for what is left out; the environment is not read */
export function withDefaults(given: Partial<StackOptions>): StackOptions {
  const defaults = readOptions([], {}) as StackOptions
  return { ...defaults, ...given, dataDir: resolve(given.dataDir ?? defaults.dataDir) }
}

interface Setting {
  readonly flag: string
  readonly variable: string
  readonly standard?: string
  readonly help: string
}

const SETTINGS = {
  port: {
    flag: 'port',
    variable: 'KEYHOLD_PORT',
    standard: '4566',
    help: 'port to listen on, 0 for any that is free',
  },
  host: {
    flag: 'host',
    variable: 'KEYHOLD_HOST',
    standard: '127.0.0.1',
    help: 'address to listen on',
  },
  dataDir: {
    flag: 'data-dir',
    variable: 'KEYHOLD_DATA_DIR',
    standard: '.keyhold',
    help: 'directory of all data',
  },
  regions: {
    flag: 'regions',
    variable: 'KEYHOLD_REGIONS',
    standard: 'us-east-1,us-west-2,eu-west-1',
    help: 'Regions to serve',
  },
  publicHosts: {
    flag: 'public-hosts',
    variable: 'KEYHOLD_PUBLIC_HOSTS',
    standard: '',
    help: 'further hosts, with port, that clients reach it by',
  },
  s3Hosts: {
    flag: 's3-hosts',
    variable: 'KEYHOLD_S3_HOSTS',
    standard: '',
    help: 'further hosts, with port, of S3: names below them name buckets',
  },
  account: { flag: 'account-id', variable: 'KEYHOLD_ACCOUNT_ID', help: 'of the first tenant' },
  accessKeyId: {
    flag: 'access-key-id',
    variable: 'KEYHOLD_ACCESS_KEY_ID',
    help: 'of its administrator',
  },
  seed: { flag: 'seed', variable: 'KEYHOLD_SEED', help: 'seed file' },
  testEndpoints: {
    flag: 'test-endpoints',
    variable: 'KEYHOLD_TEST_ENDPOINTS',
    help: 'on or off: clock and reset for test suites',
  },
  unsignedAs: {
    flag: 'unsigned-as',
    variable: 'KEYHOLD_UNSIGNED_AS',
    help: '<account>/<user> that unsigned calls act as',
  },
} as const satisfies Record<string, Setting>

/** No flag for it, since flags can be read by every user of a machine. */
const SECRET_VARIABLE = 'KEYHOLD_SECRET_ACCESS_KEY'

type SettingName = keyof typeof SETTINGS

/**
 * @param args - without the program's name
 * @returns the options, or the text that `--help` asks for
 * @throws StartProblem naming the flag or the variable that is wrong
 */
export function readOptions(
  args: readonly string[],
  variables: NodeJS.ProcessEnv,
): StackOptions | string {
  const flags = readFlags(args)
  if (flags.help === true) return helpText()
  requireGoodVariables(variables)
  const text = (name: SettingName): string | undefined => {
    const { flag, variable, ...rest } = SETTINGS[name]
    const given = flags[flag] ?? variables[variable]
    if (typeof given === 'string' && given !== '') return given
    return 'standard' in rest ? rest.standard : undefined
  }
  const account = optional('account', text('account'), parseAccountId, 'twelve digits')
  const accessKeyId = optional(
    'accessKeyId',
    text('accessKeyId'),
    parseLongTermAccessKeyId,
    '16 to 128 capital letters and digits, not beginning with ASIA',
  )
  const secretAccessKey = readSecret(variables[SECRET_VARIABLE])
  const seed = text('seed')
  const testEndpoints = optional('testEndpoints', text('testEndpoints'), parseSwitch, 'on or off')
  const unsignedAs = optional(
    'unsignedAs',
    text('unsignedAs'),
    parsePrincipal,
    'an account and a user, such as 111122223333/tester',
  )
  return {
    host: text('host') ?? '',
    port: readPort(text('port') ?? ''),
    dataDir: resolve(text('dataDir') ?? ''),
    regions: readRegions(text('regions') ?? ''),
    publicHosts: list(text('publicHosts') ?? '').map(readHost('publicHosts')),
    s3Hosts: list(text('s3Hosts') ?? '').map(readHost('s3Hosts')),
    ...(account === undefined ? {} : { account }),
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
    ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
    ...(seed === undefined ? {} : { seed: resolve(seed) }),
    ...(testEndpoints === undefined ? {} : { testEndpoints }),
    ...(unsignedAs === undefined ? {} : { unsignedAs }),
  }
}

const SWITCH: ReadonlyMap<string, boolean> = new Map([
  ['on', true],
  ['off', false],
])

const parseSwitch = (text: string): boolean | null => SWITCH.get(text) ?? null

function parsePrincipal(text: string): UnsignedPrincipal | null {
  const [, account = '', userName = ''] = /^([0-9]{12})\/([\w+=,.@-]{1,64})$/.exec(text) ?? []
  const parsed = parseAccountId(account)
  return parsed === null ? null : { account: parsed, userName }
}

function readFlags(args: readonly string[]): Record<string, string | boolean | undefined> {
  const options: Record<string, { type: 'string' | 'boolean' }> = { help: { type: 'boolean' } }
  for (const { flag } of Object.values(SETTINGS)) options[flag] = { type: 'string' }
  try {
    return parseArgs({ args: [...args], options, strict: true }).values as Record<string, string>
  } catch (error) {
    const [line] = (error as Error).message.split(/\.?\n|\. /)
    throw new StartProblem(`${line}. "--help" lists what there is.`)
  }
}

function readPort(text: string): number {
  const port = Number(text)
  if (!/^[0-9]{1,5}$/.test(text) || port > 65_535) {
    throw wrong('port', text, 'a port, 0 to 65535')
  }
  return port
}

/** A name or an address, with its port if that is not the usual one. */
const readHost =
  (setting: 'publicHosts' | 's3Hosts') =>
  (text: string): string => {
    const isHost = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/i.test(text)
    if (!isHost) throw wrong(setting, text, 'hosts such as keyhold.internal:4566')
    return text
  }

function readRegions(text: string): readonly Region[] {
  const regions = list(text).map((name) => {
    const region = parseRegion(name)
    if (region === null) throw wrong('regions', name, 'the name of a Region such as eu-west-1')
    return region
  })
  if (regions.length === 0) throw wrong('regions', text, 'a list of at least one Region')
  return [...new Set(regions)]
}

function readSecret(secret: string | undefined): string | undefined {
  if (secret === undefined || secret === '') return undefined
  if (!/^[\x21-\x7e]{16,128}$/.test(secret)) {
    throw new StartProblem(
      `${SECRET_VARIABLE} must be 16 to 128 characters of ASCII without spaces.`,
    )
  }
  return secret
}

function optional<Parsed>(
  name: SettingName,
  text: string | undefined,
  parse: (text: string) => Parsed | null,
  form: string,
): Parsed | undefined {
  if (text === undefined) return undefined
  const parsed = parse(text)
  if (parsed === null) throw wrong(name, text, form)
  return parsed
}

function wrong(name: SettingName, text: string, form: string): StartProblem {
  const { flag, variable } = SETTINGS[name]
  return new StartProblem(`--${flag} (${variable}) must be ${form}, not ${JSON.stringify(text)}.`)
}

const list = (text: string): readonly string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')

function helpText(): string {
  const lines = Object.values(SETTINGS).map((setting) => {
    const standard = 'standard' in setting && setting.standard !== '' ? setting.standard : null
    const suffix = standard === null ? '' : ` (${standard})`
    return helpLine(`--${setting.flag}`, setting.variable, setting.help + suffix)
  })
  const flagless = { [SECRET_VARIABLE]: 'of its administrator', ...VARIABLES }
  return [
    'npm start -- [flags]; each can be set by the variable beside it',
    ...lines,
    'Variables without a flag:',
    ...Object.entries(flagless).map(([variable, help]) => helpLine('', variable, help)),
  ].join('\n')
}

const helpLine = (flag: string, variable: string, help: string): string =>
  `  ${flag.padEnd(17)} ${variable.padEnd(26)} ${help}`
