import type { Command } from 'commander'
import { runs, verb } from '../command.ts'
import type { Credentials } from '../connection/profiles.ts'
import { readyToSave, saveMade } from '../connection/save-credentials.ts'
import { wholeNumber } from '../input/numbers.ts'
import { readPolicy } from '../input/policy-file.ts'
import { details } from '../output/view.ts'
import { WrongUsage } from '../problem.ts'
import { ownArn } from './own-arn.ts'

/** STS's answer, all of it text. */
interface Assumed {
  readonly AssumedRoleUser: { readonly Arn: string; readonly AssumedRoleId: string }
  readonly Credentials: {
    readonly AccessKeyId: string
    readonly SecretAccessKey: string
    readonly SessionToken: string
    readonly Expiration: string
  }
}

interface AssumeOptions {
  readonly sessionName: string
  readonly duration?: number
  readonly sessionPolicyFile?: string
  readonly saveProfile?: string
  readonly env?: boolean
}

/** `keyhold role assume` */
export function assumeVerb(parent: Command): void {
  const command = verb(parent, 'assume <role>', {
    about: 'Begin a session of a role, by its name or ARN; its secrets are shown only now',
    examples: [
      'role assume deployer --save-profile deployer',
      'role assume arn:aws:iam::444455556666:role/auditor --duration 900',
    ],
  })
    .addHelpText('after', '  $ eval "$(keyhold role assume deployer --env)"')
    .option('--session-name <name>', 'how the session is called in the audit trail', 'keyhold')
    .option('--duration <seconds>', 'how long it lasts', wholeNumber(900, 43_200))
    .option('--session-policy-file <file>', 'the policy that bounds the session; - is the input')
    .option('--save-profile <name>', 'write it into this profile in ~/.aws, and show no secret')
    .option('--env', 'answer with lines for a shell to evaluate')
  runs<AssumeOptions>(command, async (session, options, role = '') => {
    if (options.env && (options.saveProfile !== undefined || session.flags.json)) {
      throw new WrongUsage('--env goes neither with --save-profile nor with --json.')
    }
    await readyToSave(session, options.saveProfile)
    const answer = await session.sts<Assumed>('AssumeRole', {
      RoleArn: await ownArn(session, 'role', role),
      RoleSessionName: options.sessionName,
      ...(options.duration === undefined ? {} : { DurationSeconds: String(options.duration) }),
      ...(options.sessionPolicyFile === undefined
        ? {}
        : { Policy: await readPolicy(options.sessionPolicyFile) }),
    })
    if (options.env) return { json: answer, view: exportLines(credentialsOf(answer)) }
    if (options.saveProfile === undefined) return { json: answer, view: sessionDetails(answer) }
    const path = saveMade(session, options.saveProfile, credentialsOf(answer))
    const { AssumedRoleUser, Credentials } = answer
    const { AccessKeyId, Expiration } = Credentials
    return {
      json: {
        AssumedRoleUser,
        Credentials: { AccessKeyId, Expiration },
        Profile: options.saveProfile,
      },
      view: [
        details({ Session: AssumedRoleUser.Arn, Expires: Expiration }),
        `It is in the profile ${options.saveProfile} in ${path}.`,
      ],
    }
  })
}

const credentialsOf = ({
  Credentials,
}: Assumed): Credentials & { readonly sessionToken: string } => ({
  accessKeyId: Credentials.AccessKeyId,
  secretAccessKey: Credentials.SecretAccessKey,
  sessionToken: Credentials.SessionToken,
})

const sessionDetails = ({ AssumedRoleUser, Credentials }: Assumed) =>
  details({
    Session: AssumedRoleUser.Arn,
    'Access key id': Credentials.AccessKeyId,
    'Secret access key': Credentials.SecretAccessKey,
    'Session token': Credentials.SessionToken,
    Expires: Credentials.Expiration,
  })

const exportLines = (credentials: ReturnType<typeof credentialsOf>): string =>
  [
    `export AWS_ACCESS_KEY_ID=${quoted(credentials.accessKeyId)}`,
    `export AWS_SECRET_ACCESS_KEY=${quoted(credentials.secretAccessKey)}`,
    `export AWS_SESSION_TOKEN=${quoted(credentials.sessionToken)}`,
  ].join('\n')

/** As a POSIX shell reads it back, whatever it holds. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
