import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { changeTags } from './change-tags.ts'

export const deleteObjectTagging = objectOperation({
  name: 'DeleteObjectTagging',
  action: 's3:DeleteObjectTagging',
  readOnly: false,
  async run(request, call) {
    await changeTags(request, {}, call)
    return { status: 204, headers: {} }
  },
})
