import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { aclAnswer } from './acl.ts'
import { requireObject } from './read-object.ts'

export const getObjectAcl = objectOperation({
  name: 'GetObjectAcl',
  action: 's3:GetObjectAcl',
  readOnly: true,
  async run(request, call) {
    await requireObject(request, call)
    return aclAnswer(request)
  },
})
