import { readdir, rm, stat } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import type { Command } from 'commander'
import { runs } from '../command.ts'
import type { S3 } from '../connection/s3.ts'
import { confirm } from '../input/terminal.ts'
import { bytesText, countText } from '../output/amounts.ts'
import { WrongUsage } from '../problem.ts'
import type { Session } from '../session.ts'
import { downloadFile } from '../transfer/download.ts'
import { isPathBelow, type ObjectName, parseObjectName } from '../transfer/location.ts'
import { uploadFile } from '../transfer/upload.ts'
import { askedBy, type EncryptionOptions, watching, withEncryption } from './cp.ts'

const ABOUT = `
Copies what the other side does not have, or has in another size or older. One side is a directory, the
other the beginning of objects' names: s3://bucket/prefix. With --delete it also removes what only the
other side has.

Examples:
  $ keyhold sync reports s3://archive/reports --sse aws:kms --kms-key alias/archive
  $ keyhold sync s3://archive/reports reports --delete`

interface Options extends EncryptionOptions {
  readonly delete?: boolean
}

/** What either side has, by its name below the directory or the prefix, with slashes. */
interface Entry {
  readonly size: number
  readonly modified: number
}
type Entries = ReadonlyMap<string, Entry>

interface Side {
  readonly entries: Entries
  remove(name: string): Promise<unknown>
}

/** `keyhold sync` */
export function sync(command: Command): void {
  command
    .argument('<from>', 'a directory, or s3://bucket/prefix')
    .argument('<to>', 'a directory, or s3://bucket/prefix')
    .addHelpText('after', ABOUT)
    .option('--delete', 'and remove what is only there')
  runs<Options>(withEncryption(command), async (session, options, from = '', to = '') => {
    const [source, target] = [parseObjectName(from), parseObjectName(to)]
    if (source === null && target !== null) return up(session, from, folderOf(target), options)
    if (source !== null && target === null) return down(session, folderOf(source), to, options)
    throw new WrongUsage('One side must be a directory and the other s3://bucket/prefix.')
  })
}

const folderOf = ({ bucket, key }: ObjectName): ObjectName => ({
  bucket,
  key: key === '' || key.endsWith('/') ? key : `${key}/`,
})

async function up(session: Session, directory: string, to: ObjectName, options: Options) {
  const s3 = await session.s3()
  const [here, there] = [await filesBelow(directory, true), await objectsBelow(to, s3, session)]
  const asked = askedBy(options)
  return carry(session, options, here.entries, there, (name, watch) => {
    const target = { bucket: to.bucket, key: to.key + name }
    return uploadFile(join(directory, name), target, asked, s3, watch)
  })
}

async function down(session: Session, from: ObjectName, directory: string, options: Options) {
  const s3 = await session.s3()
  const [there, here] = [await objectsBelow(from, s3, session), await filesBelow(directory, false)]
  for (const name of there.entries.keys()) {
    if (isPathBelow(name)) continue
    throw new WrongUsage(
      `The object ${JSON.stringify(from.key + name)} cannot be a file below ${directory}.`,
    )
  }
  return carry(session, options, there.entries, here, (name, watch) =>
    downloadFile({ bucket: from.bucket, key: from.key + name }, join(directory, name), s3, watch),
  )
}

async function carry(
  session: Session,
  options: Options,
  source: Entries,
  target: Side,
  copy: (name: string, watch: (bytes: number) => void) => Promise<number>,
) {
  const missing = [...source].filter(([name, entry]) => isNeeded(entry, target.entries.get(name)))
  const surplus = options.delete
    ? [...target.entries.keys()].filter((name) => !source.has(name))
    : []
  if (surplus.length > 0) {
    await confirm(
      `Delete ${countText(surplus.length, 'file')} that only the target has?`,
      session.flags,
    )
  }
  const total = missing.reduce((sum, [, { size }]) => sum + size, 0)
  const watch = watching(session, total)
  for (const [name] of missing) await copy(name, watch)
  for (const name of surplus) await target.remove(name)
  const Copied = missing.map(([name]) => name)
  const removed = surplus.length === 0 ? '' : ` ${countText(surplus.length, 'file')} removed.`
  return {
    json: { Copied, CopiedBytes: total, Deleted: surplus },
    view: `${countText(Copied.length, 'file')} copied (${bytesText(total)}).${removed}`,
  }
}

const isNeeded = (source: Entry, target: Entry | undefined): boolean =>
  target === undefined || source.size !== target.size || source.modified > target.modified

async function objectsBelow(
  { bucket: Bucket, key: Prefix }: ObjectName,
  { client, sdk }: S3,
  session: Session,
): Promise<Side> {
  const entries = new Map<string, Entry>()
  for await (const { Contents = [] } of sdk.paginateListObjectsV2({ client }, { Bucket, Prefix })) {
    for (const { Key = '', Size = 0, LastModified } of Contents) {
      const name = Key.slice(Prefix.length)
      // A name that ends with a slash stands for a directory.
      if (name === '' || name.endsWith('/')) continue
      entries.set(name, { size: Size, modified: LastModified?.getTime() ?? 0 })
    }
    session.progress.tell(`${countText(entries.size, 'object')} listed`)
  }
  const remove = (name: string) =>
    client.send(new sdk.DeleteObjectCommand({ Bucket, Key: Prefix + name }))
  return { entries, remove }
}

/** Links are not followed, so nothing outside of the directory goes anywhere. */
async function filesBelow(directory: string, isNeededThere: boolean): Promise<Side> {
  const found = await stat(directory).catch(() => null)
  if (found !== null ? !found.isDirectory() : isNeededThere) {
    throw new WrongUsage(`${directory} is no directory.`)
  }
  const entries = new Map<string, Entry>()
  const listed = found && (await readdir(directory, { recursive: true, withFileTypes: true }))
  for (const file of listed ?? []) {
    if (!file.isFile()) continue
    const path = join(file.parentPath, file.name)
    const { size, mtimeMs } = await stat(path)
    const name = relative(directory, path).split(sep).join('/')
    entries.set(name, { size, modified: Math.floor(mtimeMs / 1000) * 1000 })
  }
  return { entries, remove: (name) => rm(join(directory, name)) }
}
