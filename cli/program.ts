/** The command line: its nouns, and the flags that all of them take. */
import { Command, CommanderError } from 'commander'
import manifest from '../package.json' with { type: 'json' }
import { EXIT, exitCodeOf, problemText, WrongUsage } from './problem.ts'

export interface Noun {
  readonly about: string
  /** Adds the verbs, or for a noun that is a command by itself, its arguments and action. */
  load(command: Command): Promise<void>
}

/** In the order of the help. Each is loaded only when it is called, which keeps every call fast. */
export const NOUNS: Readonly<Record<string, Noun>> = {
  whoami: {
    about: 'Say as whom calls are made, and where they go',
    load: async (command) => (await import('./commands/whoami.ts')).whoami(command),
  },
  configure: {
    about: 'Make or change a profile',
    load: async (command) => (await import('./commands/configure.ts')).configure(command),
  },
  tenant: {
    about: 'Tenants and their quotas (for operators)',
    load: async (command) => (await import('./commands/tenant.ts')).tenantVerbs(command),
  },
  user: {
    about: 'Users of your account',
    load: async (command) => (await import('./commands/user.ts')).userVerbs(command),
  },
  role: {
    about: 'Roles, who may assume them, and sessions of them',
    load: async (command) => (await import('./commands/role.ts')).roleVerbs(command),
  },
  'access-key': {
    about: 'Access keys of users',
    load: async (command) => (await import('./commands/access-key.ts')).accessKeyVerbs(command),
  },
  policy: {
    about: 'Managed and inline policies',
    load: async (command) => (await import('./commands/policy.ts')).policyVerbs(command),
  },
  key: {
    about: 'KMS keys, their policies and grants',
    load: async (command) => (await import('./commands/key.ts')).keyVerbs(command),
  },
  cp: {
    about: 'Copy a file to an object, or an object to a file',
    load: async (command) => (await import('./commands/cp.ts')).cp(command),
  },
  sync: {
    about: 'Copy what a directory has and objects have not, or the other way round',
    load: async (command) => (await import('./commands/sync.ts')).sync(command),
  },
  impact: {
    about: 'Say what becomes unreadable when a key goes',
    load: async (command) => (await import('./commands/impact.ts')).impact(command),
  },
  rekey: {
    about: 'Wrap the keys of stored objects anew, without moving data',
    load: async (command) => (await import('./commands/rekey.ts')).rekeyVerbs(command),
  },
  audit: {
    about: 'The audit trail',
    load: async (command) => (await import('./commands/audit.ts')).auditVerbs(command),
  },
  explain: {
    about: 'Say why a call was, or would be, allowed or denied',
    load: async (command) => (await import('./commands/explain.ts')).explain(command),
  },
}

const AFTER_HELP = `
Credentials are taken from --profile, from AWS_ACCESS_KEY_ID and its like, from AWS_PROFILE, or from
the local stack that was started in this directory. Secrets are never arguments.

Exit codes: 0 done, 1 refused or failed, 2 called wrongly.`

/** @returns the program, which knows its nouns but not yet their verbs */
export function program(): Command {
  const root = new Command('keyhold')
    .description('Keyhold from the command line: tenants, principals, policies, keys, audit.')
    .usage('<noun> <verb> [arguments] [options]')
    .version(manifest.version, '--version', 'print the version')
    .option('--endpoint <url>', 'where Keyhold is (KEYHOLD_ENDPOINT, AWS_ENDPOINT_URL)')
    .option('--region <name>', 'Region (AWS_REGION)')
    .option('--profile <name>', 'profile in ~/.aws to use (AWS_PROFILE)')
    .option('--operator', 'act as the operator of the local stack')
    .option('--json', 'answer in JSON')
    .option('--yes', 'do not ask before what cannot be undone')
    .option('--verbose', 'say more about what went wrong')
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({ outputError: () => undefined }) // `main` says it, in this program's words
    .helpCommand(false) // it would not load what it is asked about
    .exitOverride()
    .addHelpText('after', AFTER_HELP)
    .hook('preSubcommand', async (_root, command) => {
      await NOUNS[command.name()]?.load(command)
    })
  for (const [name, { about }] of Object.entries(NOUNS)) root.command(name).description(about)
  return root
}

/**
 * Runs one command; what goes wrong is written to standard error.
 * @param args - without the names of Node and the script
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  const root = program()
  const asked = args[0] === 'help' ? [...args.slice(1), '--help'] : args
  try {
    await root.parseAsync([...asked], { from: 'user' })
    return EXIT.ok
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok // help or version
    const problem = error instanceof CommanderError ? usageProblem(error) : error
    if (problem !== null) process.stderr.write(problemText(problem, root.opts().verbose === true))
    return problem === null ? EXIT.usage : exitCodeOf(problem)
  }
}

/** @returns `null` when the help that a noun without a verb shows has said it all */
function usageProblem({ code, message }: CommanderError): WrongUsage | null {
  if (code === 'commander.help') return null
  const [line = ''] = message.replace(/^error: /, '').split('\n')
  // Arguments that nobody asked for are not repeated: a pasted secret may be among them.
  const first = code === 'commander.excessArguments' ? line.replace(/: .*$/, '') : line
  const hint = /\(Did you mean .*\)/.exec(message)?.[0]
  const sentence = `${first.charAt(0).toUpperCase()}${first.slice(1)}`
  return new WrongUsage(hint === undefined ? sentence : `${sentence} ${hint}`)
}
