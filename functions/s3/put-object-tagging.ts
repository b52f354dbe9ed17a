import { readXml } from '../../shared/lambda/s3-body.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { MAX_OBJECT_TAGS, readTagging } from '../../shared/lambda/s3-tagging.ts'
import { malformedXml } from '../../shared/lambda/s3-xml-reader.ts'
import { changeTags } from './change-tags.ts'

const MAX_BODY = 64 * 1024

export const putObjectTagging = objectOperation({
  name: 'PutObjectTagging',
  action: 's3:PutObjectTagging',
  readOnly: false,
  async run(request, call) {
    const document = await readXml(request, 'Tagging', MAX_BODY)
    if (document === null) throw malformedXml()
    await changeTags(request, readTagging(document, MAX_OBJECT_TAGS), call)
    return { status: 200, headers: {} }
  },
})
