"""boto3 with S3 as Keyhold serves it, in every way of encryption.

Arguments: a bucket that takes keys of callers, and the ARN of a KMS key. Each check is a line
"ok <name>"; the first that does not hold ends the session.
"""

import hashlib
import io
import os
import sys
import urllib.request
import uuid

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

bucket, key_arn = sys.argv[1:]
s3 = boto3.client(
    "s3",
    config=Config(signature_version="s3v4", s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
)
parts = TransferConfig(multipart_threshold=6 << 20, multipart_chunksize=5 << 20)


def check(name, holds):
    if not holds:
        sys.exit(f"not ok {name}")
    print(f"ok {name}")


customer = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": os.urandom(32)}
kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key_arn}
modes = {
    "nothing": ({}, {}, "AES256"),
    "SSE-S3": ({"ServerSideEncryption": "AES256"}, {}, "AES256"),
    "SSE-KMS": (kms, {}, "aws:kms"),
    "a bucket key": ({**kms, "BucketKeyEnabled": True}, {}, "aws:kms"),
    "DSSE-KMS": ({"ServerSideEncryption": "aws:kms:dsse", "SSEKMSKeyId": key_arn}, {}, "aws:kms:dsse"),
    "SSE-C": (customer, customer, None),
}

for name, (write, read, told) in modes.items():
    key = str(uuid.uuid4())
    at = {"Bucket": bucket, "Key": key}
    for size in (0, 1, 65536, 200000):
        body = os.urandom(size)
        put = s3.put_object(**at, Body=body, **write)
        check(f"{name}: {size} bytes are told as {told}", put.get("ServerSideEncryption") == told)
        got = s3.get_object(**at, **read)
        check(f"{name}: {size} bytes", got["Body"].read() == body and got["ETag"] == put["ETag"])
        is_md5 = put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
        check(f"{name}: the ETag of {size} bytes", is_md5 == (told == "AES256"))
    part = s3.get_object(**at, Range="bytes=65530-65545", **read)["Body"].read()
    check(f"{name}: a range", part == body[65530:65546])
    large = os.urandom((12 << 20) + 3)
    # boto3's transfers know no bucket keys.
    extra = {name: value for name, value in write.items() if name != "BucketKeyEnabled"}
    s3.upload_fileobj(io.BytesIO(large), bucket, key, ExtraArgs=extra, Config=parts)
    check(f"{name}: parts", s3.head_object(**at, **read)["ETag"].endswith('-3"'))
    back = io.BytesIO()
    s3.download_fileobj(bucket, key, back, ExtraArgs=read, Config=parts)
    check(f"{name}: parts come back", back.getvalue() == large)
    source = {f"CopySource{name}": value for name, value in read.items()}
    for other, (other_write, other_read, _) in modes.items():
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=at, **other_write, **source)
        copied = s3.get_object(Bucket=bucket, Key="copy", **other_read)["Body"].read()
        check(f"a copy from {name} to {other}", copied == large)

url = s3.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": "signed", **kms})
headers = {"x-amz-server-side-encryption": "aws:kms", "x-amz-server-side-encryption-aws-kms-key-id": key_arn}
request = urllib.request.Request(url, data=b"signed", headers=headers, method="PUT")
check("a presigned write", urllib.request.urlopen(request).status == 200)
url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "signed"})
check("a presigned read", urllib.request.urlopen(url).read() == b"signed")

form = s3.generate_presigned_post(bucket, "form", Fields=kms and {"x-amz-server-side-encryption": "aws:kms"},
                                  Conditions=[{"x-amz-server-side-encryption": "aws:kms"}])
boundary = uuid.uuid4().hex
fields = "".join(
    f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
    for name, value in form["fields"].items()
)
data = (
    fields + f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    f"posted\r\n--{boundary}--\r\n"
).encode()
request = urllib.request.Request(
    form["url"], data=data, headers={"Content-Type": f"multipart/form-data; boundary={boundary}"}
)
check("a form", urllib.request.urlopen(request).status == 204)
check("what a form brought", s3.get_object(Bucket=bucket, Key="form")["Body"].read() == b"posted")

try:
    s3.get_object(Bucket=bucket, Key="none")
    check("a missing object", False)
except ClientError as error:
    check("a missing object", error.response["Error"]["Code"] == "NoSuchKey")
print("done")
