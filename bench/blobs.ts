/** MB/s of one large object in and out, through the AWS SDK as a client would. */
import { Readable } from 'node:stream'
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { Target } from './sign.ts'

const MIB = 1024 * 1024

export const s3Client = ({ endpoint, region, ...credentials }: Target): S3Client =>
  new S3Client({
    endpoint,
    region,
    credentials,
    forcePathStyle: true,
    // Otherwise the client's own checksum would be measured.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })

/** One PUT and one GET of `mib` MiB in a bucket `bench`, sizes in 10^6 bytes. */
export async function blobThroughput(
  s3: S3Client,
  mib: number,
): Promise<{ readonly putMBps: number; readonly getMBps: number }> {
  const chunk = Buffer.alloc(MIB, 3)
  const size = mib * MIB
  const timed = async (work: () => Promise<void>): Promise<number> => {
    const start = performance.now()
    await work()
    return size / 1e6 / ((performance.now() - start) / 1000)
  }
  const body = () => Readable.from(Array.from({ length: mib }, () => chunk))
  const place = { Bucket: 'bench', Key: 'large' }
  const putMBps = await timed(async () => {
    await s3.send(new PutObjectCommand({ ...place, Body: body(), ContentLength: size }))
  })
  const getMBps = await timed(async () => {
    const { Body } = await s3.send(new GetObjectCommand(place))
    let received = 0
    for await (const part of Body as Readable) received += part.length
    if (received !== size) throw new Error(`${received} of ${size} bytes came back.`)
  })
  return { putMBps, getMBps }
}
