import { createInterface } from 'node:readline'
import type { Command } from 'commander'
import { runs } from '../command.ts'
import { DEFAULT_ENDPOINT, DEFAULT_REGION } from '../connection/connection.ts'
import { readProfile, requireProfileName, saveProfile } from '../connection/profiles.ts'
import { askAll, isAttended } from '../input/terminal.ts'
import { WrongUsage } from '../problem.ts'

const ABOUT = `
Asks for an access key and writes it into ~/.aws/credentials, which only you can read, and the
endpoint and the Region into ~/.aws/config, where other tools of AWS find them too. The secret is
typed unseen. Without a terminal the access key id and the secret access key are read from standard
input, a line each.

Examples:
  $ keyhold configure --profile payments --endpoint https://kms.example.com --region eu-west-1
  $ printf '%s\\n' "$ID" "$SECRET" | keyhold configure --profile ci`

interface ConfigureOptions {
  readonly profile?: string
  readonly endpoint?: string
  readonly region?: string
}

/** `keyhold configure` */
export function configure(command: Command): void {
  command.addHelpText('after', ABOUT)
  runs(command, async ({ flags }) => {
    const { profile: name = 'default', ...given }: ConfigureOptions = flags
    requireProfileName(name)
    const settled = isAttended() ? await askFor(name, given) : await readAll(given)
    requireKey(settled.credentials)
    const path = saveProfile(name, settled, process.env)
    const { endpoint, region } = settled
    const accessKeyId = settled.credentials.accessKeyId
    return {
      json: { Profile: name, AccessKeyId: accessKeyId, Endpoint: endpoint, Region: region },
      view: `The profile ${name} is in ${path}; use it with --profile ${name}.`,
    }
  })
}

type Settled = Parameters<typeof saveProfile>[1]

async function askFor(name: string, given: ConfigureOptions): Promise<Settled> {
  const before = readProfile(name, process.env)
  const region = given.region ?? before?.region ?? DEFAULT_REGION
  const endpoint = given.endpoint ?? before?.endpoint ?? DEFAULT_ENDPOINT
  const [accessKeyId = '', secretAccessKey = '', otherRegion, otherEndpoint] = await askAll([
    { text: 'Access key id: ' },
    { text: 'Secret access key: ', secret: true },
    { text: `Region [${region}]: ` },
    { text: `Endpoint [${endpoint}]: ` },
  ])
  return {
    credentials: { accessKeyId, secretAccessKey },
    region: otherRegion || region,
    endpoint: otherEndpoint || endpoint,
  }
}

async function readAll({ region, endpoint }: ConfigureOptions): Promise<Settled> {
  const lines = await Array.fromAsync(createInterface({ input: process.stdin }))
  const [accessKeyId = '', secretAccessKey = ''] = lines.map((line) => line.trim())
  return {
    credentials: { accessKeyId, secretAccessKey },
    region: region ?? DEFAULT_REGION,
    endpoint: endpoint ?? DEFAULT_ENDPOINT,
  }
}

function requireKey({ accessKeyId, secretAccessKey }: Settled['credentials']): void {
  if (!/^[A-Z0-9]{16,128}$/.test(accessKeyId)) {
    throw new WrongUsage('An access key id is 16 to 128 capital letters and digits.')
  }
  if (!/^[\x21-\x7e]{16,128}$/.test(secretAccessKey)) {
    throw new WrongUsage('A secret access key is 16 to 128 characters of ASCII without spaces.')
  }
}
