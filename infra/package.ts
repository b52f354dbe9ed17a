/**
 * `npm run package`: makes what is deployed, offline and without credentials: the edge function, a
 * bundle for each function, and the CloudFormation template. It tells their sizes, and fails when a
 * handler is missing or does not load from its bundle.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildEdge, MAX_EDGE_BYTES } from './edge/build.ts'
import { parseS3Hosts } from './edge/s3-hosts.ts'
import { type FunctionEntry, readFunctions } from './local/functions.ts'
import { MAX_RESOURCES, type Template } from './template.ts'
import { orSayUsage, readFlags } from './usage.ts'

interface Packaged {
  readonly template: Template
  /** Bytes of the edge function. */
  readonly edge: number
  /** In the order of the description; sizes in bytes. */
  readonly bundles: readonly {
    readonly name: string
    readonly handler: string
    readonly bundle: number
    readonly zip: number
  }[]
}

const PROJECT = fileURLToPath(new URL('../', import.meta.url))
/** Where serverless.yml expects the edge function, and where the package goes. */
const DIST = join(PROJECT, 'dist')
const PACKAGE = join(DIST, 'package')
/** Where serverless-esbuild builds. */
const BUILD = join(PROJECT, '.esbuild/.build')

/** Of the resources that a stack may have, how many may be used: new operations need room. */
const RESOURCES_IN_USE = 0.8 * MAX_RESOURCES

/** @throws Error that says what is missing, too large or failed */
async function packageAll(): Promise<Packaged> {
  const functions = await readFunctions()
  await Promise.all(functions.map(requireSource))
  const edge = await buildEdge(parseS3Hosts(process.env.KEYHOLD_S3_HOSTS))
  await mkdir(DIST, { recursive: true })
  await writeFile(join(DIST, 'edge.txt'), edge)
  await rm(BUILD, { recursive: true, force: true })
  await runOsls()
  await Promise.all(functions.map(requireLoadable))
  const template = await readTemplate()
  return {
    template,
    edge: Buffer.byteLength(edge),
    bundles: await Promise.all(functions.map(measure)),
  }
}

async function requireSource({ name, handler }: FunctionEntry): Promise<void> {
  const file = `${moduleOf(handler)}.ts`
  try {
    await access(join(PROJECT, file))
  } catch {
    throw new Error(`${name} has no handler: there is no ${file}.`)
  }
}

/** From the bundle as it is deployed, which shows what bundling broke. */
async function requireLoadable({ name, handler }: FunctionEntry): Promise<void> {
  const bundle = (await import(pathToFileURL(bundleOf(handler)).href)) as Record<string, unknown>
  const exported = bundle[handler.slice(handler.lastIndexOf('.') + 1)]
  if (typeof exported !== 'function') throw new Error(`${name}: ${handler} is not a function.`)
}

/** In an environment without credentials, settings or a home of anybody's. */
async function runOsls(): Promise<void> {
  const home = await mkdtemp(join(tmpdir(), 'keyhold-package-'))
  try {
    const osls = join(PROJECT, 'node_modules/osls/bin/serverless.js')
    const child = spawn(process.execPath, [osls, 'package', '--package', PACKAGE], {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        PATH: [dirname(process.execPath), process.env.PATH ?? '/bin'].join(delimiter),
        HOME: home,
        SLS_TELEMETRY_DISABLED: '1',
        SLS_NOTIFICATIONS_MODE: 'off',
      },
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString()
      })
    }
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`osls package failed:\n${said}`)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

async function readTemplate(): Promise<Template> {
  const file = join(PACKAGE, 'cloudformation-template-update-stack.json')
  const template = JSON.parse(await readFile(file, 'utf8')) as Template
  const count = Object.keys(template.Resources).length
  if (count > RESOURCES_IN_USE) {
    throw new Error(`The template has ${count} resources; ${RESOURCES_IN_USE} are the limit here.`)
  }
  return template
}

async function measure({ name, handler }: FunctionEntry) {
  const [bundle, zip] = await Promise.all([
    stat(bundleOf(handler)),
    stat(join(PACKAGE, `${name}.zip`)),
  ])
  return { name, handler, bundle: bundle.size, zip: zip.size }
}

/** `functions/kms/encrypt.handler` → `functions/kms/encrypt` */
const moduleOf = (handler: string): string => handler.slice(0, handler.lastIndexOf('.'))

const bundleOf = (handler: string): string => join(BUILD, `${moduleOf(handler)}.mjs`)

const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`.padStart(8)

function report({ template, edge, bundles }: Packaged): void {
  for (const { handler, bundle, zip } of bundles) {
    console.log(`${kilobytes(bundle)} ${kilobytes(zip)} zipped  ${moduleOf(handler)}`)
  }
  console.log(`${kilobytes(edge)} of ${kilobytes(MAX_EDGE_BYTES).trim()}        infra/edge`)
  const count = Object.keys(template.Resources).length
  console.log(`${bundles.length} functions, ${count} of ${MAX_RESOURCES} resources`)
}

if (import.meta.main) {
  orSayUsage(() => readFlags(process.argv.slice(2), {}, 'npm run package'))
  try {
    report(await packageAll())
  } catch (error) {
    console.error((error as Error).message)
    process.exitCode = 1
  }
}
