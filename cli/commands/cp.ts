import { stat } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import { runs } from '../command.ts'
import { bytesText, transferText } from '../output/amounts.ts'
import { WrongUsage } from '../problem.ts'
import type { Session } from '../session.ts'
import { downloadFile } from '../transfer/download.ts'
import { type ObjectName, objectUrl, parseObjectName, withNameOf } from '../transfer/location.ts'
import { type Asked, uploadFile } from '../transfer/upload.ts'

const ABOUT = `
One side is a file, the other an object: s3://bucket/key. Large files go in parts, and large objects
come in ranges, a few at once.

Examples:
  $ keyhold cp report.pdf s3://reports/2027/
  $ keyhold cp report.pdf s3://reports/2027/report.pdf --sse aws:kms --kms-key alias/reports
  $ keyhold cp s3://reports/2027/report.pdf .`

export interface EncryptionOptions {
  readonly sse?: Asked['ServerSideEncryption']
  readonly kmsKey?: string
}

/** Adds the options that say how what is written is encrypted. */
export const withEncryption = (command: Command): Command =>
  command
    .addOption(
      new Option('--sse <mode>', 'how objects are encrypted; as the bucket has it without').choices(
        ['AES256', 'aws:kms', 'aws:kms:dsse'],
      ),
    )
    .option('--kms-key <key>', 'under which KMS key: its id, ARN or alias')

/** @returns what a write asks for */
export const askedBy = ({ sse, kmsKey }: EncryptionOptions): Asked => ({
  ...(sse === undefined && kmsKey === undefined ? {} : { ServerSideEncryption: sse ?? 'aws:kms' }),
  ...(kmsKey === undefined ? {} : { SSEKMSKeyId: kmsKey }),
})

interface Options extends EncryptionOptions {
  readonly contentType?: string
}

/** `keyhold cp` */
export function cp(command: Command): void {
  command
    .argument('<from>', 'a file, or s3://bucket/key')
    .argument('<to>', 'a file, or s3://bucket/key')
    .addHelpText('after', ABOUT)
    .option('--content-type <type>', 'what the object is told to be')
  runs<Options>(withEncryption(command), async (session, options, from = '', to = '') => {
    const [source, target] = [parseObjectName(from), parseObjectName(to)]
    if (source === null && target !== null) return upload(session, from, target, options)
    if (source !== null && target === null) return download(session, source, to)
    throw new WrongUsage('One side must be a file and the other s3://bucket/key.')
  })
}

async function upload(session: Session, path: string, to: ObjectName, options: Options) {
  const target = { ...to, key: withNameOf(to.key, path) }
  const { contentType } = options
  const asked = {
    ...askedBy(options),
    ...(contentType === undefined ? {} : { ContentType: contentType }),
  }
  const total = (await statOf(path)).size
  const size = await uploadFile(path, target, asked, await session.s3(), watching(session, total))
  return {
    json: { From: path, To: objectUrl(target), Size: size },
    view: `${path} (${bytesText(size)}) is at ${objectUrl(target)}.`,
  }
}

async function download(session: Session, source: ObjectName, to: string) {
  if (source.key === '' || source.key.endsWith('/')) {
    throw new WrongUsage(
      'The object needs a whole name; keyhold sync takes all that begin with one.',
    )
  }
  const isDirectory = (await stat(to).catch(() => null))?.isDirectory() === true
  const path = withNameOf(isDirectory && !to.endsWith('/') ? `${to}/` : to, source.key)
  const size = await downloadFile(source, path, await session.s3(), watching(session, null))
  return {
    json: { From: objectUrl(source), To: path, Size: size },
    view: `${objectUrl(source)} (${bytesText(size)}) is at ${path}.`,
  }
}

/** @throws WrongUsage unless it is a file */
async function statOf(path: string) {
  const found = await stat(path).catch(() => null)
  if (found?.isFile()) return found
  throw new WrongUsage(`${path} is no file.`)
}

/** @param total - bytes that there are to go; `null`: nobody knows */
export function watching(session: Session, total: number | null): (bytes: number) => void {
  let gone = 0
  return (bytes) => {
    gone += bytes
    session.progress.tell(transferText(gone, total))
  }
}
