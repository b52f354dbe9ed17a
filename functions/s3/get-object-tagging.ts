import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { taggingElements } from '../../shared/lambda/s3-tagging.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import { requireObject } from './read-object.ts'

/** Takes no key: tags are not encrypted. */
export const getObjectTagging = objectOperation({
  name: 'GetObjectTagging',
  action: 's3:GetObjectTagging',
  readOnly: true,
  async run(request, call) {
    const { tags } = await requireObject(request, call)
    return xmlAnswer(xmlDocument('Tagging', taggingElements(tags)))
  },
})
