/** `npm start`: the whole system on this machine, until it is told to end. */
import { existsSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { resolve } from 'node:path'
import type { StackOptions } from './options.ts'
import type { Stack } from './stack.ts'

enableCompileCache() // takes effect for what is imported from here on, hence the imports below
const { readOptions } = await import('./options.ts')
const { StartProblem } = await import('./start-problem.ts')

/** Second argument of a signal's handler: 128 and the signal's number, as shells count. */
const INTERRUPTED = 130

await main().catch((error: unknown) => {
  fail(error instanceof StartProblem ? error.message : error)
})

async function main(): Promise<void> {
  const given = readOptions(process.argv.slice(2), process.env)
  if (typeof given === 'string') {
    console.log(given)
    return
  }
  const options = { ...seedHere(), ...given }
  const ending = watchSignals()
  const { startStack } = await import('./stack.ts')
  const stack = await startStack({ ...options, onCrash: (error) => fail(error.message) })
  await tell(stack, options)
  await ending
  await stack.close()
  process.exit(0)
}

/** The seed file of the working directory, when there is one. */
function seedHere(): Pick<StackOptions, 'seed'> {
  const seed = resolve('keyhold.seed.yaml')
  return existsSync(seed) ? { seed } : {}
}

async function tell(stack: Stack, options: StackOptions): Promise<void> {
  const { writeEnvironmentFiles, welcome } = await import('./welcome.ts')
  const file = await writeEnvironmentFiles(stack, options)
  console.log(welcome(stack, options, file))
}

/** @returns what settles at the first signal to end; the second ends the process at once */
function watchSignals(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const end = (): void => {
      if (asked) process.exit(INTERRUPTED)
      asked = true
      resolve()
    }
    process.on('SIGINT', end)
    process.on('SIGTERM', end)
  })
}

/** One line; a stack trace only for what should not have happened. */
function fail(problem: unknown): never {
  console.error(problem instanceof Error ? problem : `keyhold: ${String(problem)}`)
  process.exit(1)
}
