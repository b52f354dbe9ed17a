import { readFileSync } from 'node:fs'
import type { Command, Option } from 'commander'
import { expect, test } from 'vitest'
import { program } from '../../cli/program.ts'
import { commandLine } from '../support/command-line.ts'

const { run } = commandLine()

/** Every command there is, with its verbs loaded; by what one types. */
async function allCommands(): Promise<ReadonlyMap<string, Command>> {
  const all = new Map<string, Command>()
  const root = program()
  for (const noun of root.commands) {
    const { NOUNS } = await import('../../cli/program.ts')
    await NOUNS[noun.name()]?.load(noun)
    all.set(noun.name(), noun)
    for (const verb of noun.commands) all.set(`${noun.name()} ${verb.name()}`, verb)
  }
  return all
}

test('Help comes to standard output, also of what is asked for by the word help', async () => {
  const [general, byFlag, byWord] = await Promise.all([
    run('--help'),
    run('key', 'create', '--help'),
    run('help', 'key', 'create'),
  ])
  expect(general).toMatchObject({ code: 0, stderr: '' })
  expect(general.stdout).toContain('access-key')
  expect(byFlag.code).toBe(0)
  expect(byFlag.stdout).toContain('Examples:\n  $ keyhold key create')
  expect(byFlag.stdout).toContain('--profile <name>')
  expect(byWord.stdout).toBe(byFlag.stdout)
})

test('The version is that of the package', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(await run('--version')).toMatchObject({ code: 0, stdout: `${version}\n` })
})

test.each([
  [['keys'], "keyhold: Unknown command 'keys' (Did you mean key?).\n"],
  [['key', 'lst'], "keyhold: Unknown command 'lst' (Did you mean list?).\n"],
  [['key', 'list', '--fast'], "keyhold: Unknown option '--fast'.\n"],
  [['key', 'show'], "keyhold: Missing required argument 'key'.\n"],
  [
    ['key', 'show', 'a', 's3cret'],
    "keyhold: Too many arguments for 'show'. Expected 1 argument but got 2.\n",
  ],
  [['role', 'create', 'r'], "keyhold: Required option '--trust-file <file>' not specified.\n"],
  [
    ['audit', 'lookup', '--limit', '0'],
    "keyhold: Option '--limit <count>' argument '0' is invalid. It must be a whole number of at least 1.\n",
  ],
  [
    ['policy', 'attach', 'p', '--user', 'u', '--role', 'r'],
    'keyhold: Give one of --user, --role.\n',
  ],
  [['policy', 'attach', 'p'], 'keyhold: Give --user or --role.\n'],
  [
    ['explain', '--as', 'alice'],
    'keyhold: Give either a request id, or --as, --action and --key.\n',
  ],
  [
    ['whoami', '--endpoint', 'localhost'],
    'keyhold: The endpoint must be a URL without a path such as http://localhost:4566, not "localhost".\n',
  ],
])('%j is told in one sentence, with exit code 2', async (args, stderr) => {
  expect(await run(...args)).toMatchObject({ code: 2, stdout: '', stderr })
})

test('A noun alone shows its verbs, on standard error, with exit code 2', async () => {
  const { code, stdout, stderr } = await run('user')
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('Usage: keyhold user')
})

test('Without credentials, or when nothing answers, the exit code is 1', async () => {
  expect(await run('whoami')).toMatchObject({ code: 1, stdout: '' })
  const key = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) }
  const alone = commandLine({ ...key, KEYHOLD_ENDPOINT: 'http://127.0.0.1:9' })
  const wanted = {
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^keyhold: Nothing answers at http:\/\/127\.0\.0\.1:9 \(ECONNREFUSED\)\. [^\n]*\n$/,
    ),
  }
  expect(await alone.run('user', 'list')).toMatchObject(wanted)
  expect(await alone.run('key', 'list')).toMatchObject(wanted)
})

test('What would hurt needs --yes where nobody can be asked', async () => {
  const key = { AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'x'.repeat(40) }
  const alone = commandLine({ ...key, KEYHOLD_ENDPOINT: 'http://127.0.0.1:9' })
  for (const args of [
    ['user', 'delete', 'alice'],
    ['role', 'delete', 'ci'],
    ['access-key', 'delete', 'AKIAIOSFODNN7EXAMPLE'],
    ['policy', 'delete', 'p', '--user', 'alice'],
  ]) {
    const { code, stderr } = await alone.run(...args)
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(
        /^keyhold: Delete .*\? Nobody is here to answer: give --yes\.\n$/,
      ),
    })
  }
})

test('Every command says what it does', async () => {
  const commands = await allCommands()
  expect(commands.size).toBeGreaterThan(50)
  for (const [name, command] of commands) expect(command.description(), name).toMatch(/^[A-Z]/)
})

test('Examples are of the command that they are given for, and name options that it has', async () => {
  const commands = await allCommands()
  let examples = 0
  for (const command of commands.values()) {
    for (const [, line = ''] of helpOf(command).matchAll(/^ {2}\$ .*?keyhold ([^|>)"\n]*)/gm)) {
      const [noun, verb] = line.split(' ')
      const exampled = commands.get(`${noun} ${verb}`) ?? commands.get(`${noun}`)
      expect(exampled, line).toBeDefined()
      for (const [flag] of line.matchAll(/--[a-z-]+/g)) {
        const known = [exampled, program()].flatMap((each) => each?.options ?? [])
        expect(
          known.map(({ long }: Option) => long),
          line,
        ).toContain(flag)
      }
      examples += 1
    }
  }
  expect(examples).toBeGreaterThan(25)
})

test('No argument and no option takes a secret', async () => {
  const secret = /secret|password|token|credential/i
  const commands = [program(), ...(await allCommands()).values()]
  const asking = commands.flatMap((command) => [
    ...command.options.filter(({ flags }) => secret.test(flags)).map(({ flags }) => flags),
    ...command.registeredArguments.map((each) => each.name()).filter((name) => secret.test(name)),
  ])
  expect(asking).toEqual([])
})

/** With what is added after the options. */
function helpOf(command: Command): string {
  let help = ''
  command.configureOutput({
    writeOut: (text) => {
      help += text
    },
  })
  command.outputHelp()
  return help
}
