import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { putAcl } from './acl.ts'
import { requireObject } from './read-object.ts'

export const putObjectAcl = objectOperation({
  name: 'PutObjectAcl',
  action: 's3:PutObjectAcl',
  readOnly: false,
  async run(request, call) {
    await requireObject(request, call)
    return putAcl(request)
  },
})
