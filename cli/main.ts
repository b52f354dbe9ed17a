/** `keyhold`: starts the command line and ends with its exit code. */
import { enableCompileCache } from 'node:module'

enableCompileCache() // takes effect for what is imported from here on, hence the import below
const { run } = await import('./program.ts')

// `keyhold … | head` closes our output; that is no mistake of anybody's.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await run(process.argv.slice(2))
