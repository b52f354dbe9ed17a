/**
 * The functions as the deployment describes them: `serverless.yml` names the files, each file maps
 * names to handlers and to the events that call them. What runs locally is read from there too.
 */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

export interface FunctionEntry {
  /** `kmsEncrypt` */
  readonly name: string
  /** Module without its ending, and export: `functions/kms/encrypt.handler`. */
  readonly handler: string
  readonly events: readonly FunctionEvent[]
}

/** One of the ways in which a function is called; exactly one property is there. */
export interface FunctionEvent {
  readonly httpApi?: string | { readonly method: string; readonly path: string }
  readonly http?: {
    readonly method: string
    readonly path: string
    readonly response?: { readonly transferMode?: string }
  }
  readonly schedule?: string | { readonly rate: string | readonly string[] }
  readonly eventBridge?: { readonly pattern?: Readonly<Record<string, unknown>> }
  readonly stream?: Readonly<Record<string, unknown>>
}

/** The project's directory, with a slash at the end. */
export const PROJECT = new URL('../../', import.meta.url)

const FILE = /^\$\{file\((.+)\)\}$/

/**
 * @param project - the directory of `serverless.yml`
 * @returns all functions, in the order of the files
 * @throws Error when a file is missing or not of that form
 */
export async function readFunctions(project: URL = PROJECT): Promise<readonly FunctionEntry[]> {
  const { functions } = (await readYaml(new URL('serverless.yml', project))) as {
    functions: readonly string[]
  }
  const files = await Promise.all(functions.map((entry) => readYaml(fileOf(entry, project))))
  return files.flatMap((file) =>
    Object.entries((file ?? {}) as Record<string, Omit<FunctionEntry, 'name'>>).map(
      ([name, { handler, events = [] }]) => ({ name, handler, events }),
    ),
  )
}

/** @returns what the module exports under that name, e.g. for `functions/kms/encrypt.handler` */
export async function importHandler(handler: string, project: URL = PROJECT): Promise<unknown> {
  const dot = handler.lastIndexOf('.')
  const module = new URL(`${handler.slice(0, dot)}.ts`, project)
  const exported = ((await import(module.href)) as Record<string, unknown>)[handler.slice(dot + 1)]
  if (typeof exported !== 'function') throw new Error(`${handler} is not a function.`)
  return exported
}

function fileOf(entry: string, project: URL): URL {
  const path = FILE.exec(entry)?.[1]
  if (path === undefined)
    throw new Error(`serverless.yml: '${entry}' is not a reference to a file.`)
  return new URL(path, project)
}

/** CloudFormation's own tags (`!Ref`, `!GetAtt`) are read as the plain values behind them. */
async function readYaml(file: URL): Promise<unknown> {
  return parse(await readFile(fileURLToPath(file), 'utf8'), { logLevel: 'silent', merge: true })
}
