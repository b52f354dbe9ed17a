"""Makes the frozen vectors of Keyhold's encrypted objects, version 1.

A second implementation, in another language and over another library, written from the layouts that
head the files of shared/blobs. It made segments-v1.json once, which is never made anew, because what
was stored once must open for ever. Run it to check that the file still is what the layouts say:

    python3 test/vectors/make-segments.py --check        needs the package `cryptography`
"""
import hashlib, hmac, json, pathlib, struct, sys
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

path = pathlib.Path(__file__).parent / "segments-v1.json"
SEGMENT = 65536


def fixed(name, length):  # any bytes will do, as long as they are always the same
    return hashlib.shake_256(b"keyhold segments v1 " + name.encode()).digest(length)


# --- streams (segments.ts, stream-key.ts)

def stream_key(object_key, salt, stream_id):
    info = b"keyhold stream key v1" + b"keyhold-segments-1" + stream_id.encode()
    output = HKDF(hashes.SHA512(), 64, salt, info).derive(object_key)
    return output[:32], output[32:]


def stored_stream(key, salt, plaintext):
    starts = range(0, max(len(plaintext), 1), SEGMENT)
    return b"".join(
        AESGCM(key).encrypt(bytes(7) + struct.pack(">I", index) + bytes([index == len(starts) - 1]),
                            plaintext[start:start + SEGMENT], b"keyhold-segments-1" + salt)
        for index, start in enumerate(starts))


def stream_vector(size):
    name = f"stream of {size}"
    object_key, salt, stream_id = fixed(name + " key", 32), fixed(name + " salt", 32), f"version-{size}-\u00e9"
    key, commitment = stream_key(object_key, salt, stream_id)
    stored = stored_stream(key, salt, fixed(name, size))
    case = dict(name=name, objectKey=object_key.hex(), salt=salt.hex(), streamId=stream_id, size=size,
                plaintextSha256=hashlib.sha256(fixed(name, size)).hexdigest(), commitment=commitment.hex(),
                storedLength=len(stored), storedSha256=hashlib.sha256(stored).hexdigest())
    return case | (dict(stored=stored.hex()) if len(stored) < 200 else {})


# --- object keys (object-key.ts, crypto/sealed-box.ts, crypto/encoding.ts)

def kdf(key, label, context, length):
    tail = label.encode() + b"\0" + context + struct.pack(">I", length * 8)
    blocks = (hmac.new(key, struct.pack(">I", i + 1) + tail, hashlib.sha256).digest() for i in range(-(-length // 32)))
    return b"".join(blocks)[:length]


def sealed_box(key, label, nonce, iv, plaintext, aad):
    derived = kdf(key, label, nonce, 64)
    header = b"\x01" + nonce + iv + derived[32:]
    return header + AESGCM(derived[:32]).encrypt(iv, plaintext, header + aad)


def fields(*values):
    kinds = {str: lambda v: (1, v.encode()), int: lambda v: (2, struct.pack(">Q", v)), bytes: lambda v: (3, v)}
    encoded = (kinds[type(value)](value) for value in values)
    return b"".join(bytes([kind]) + struct.pack(">I", len(data)) + data for kind, data in encoded)


def context_bytes(context):
    pairs = sorted((name.encode(), value.encode()) for name, value in context.items())
    return b"".join(struct.pack(">I", len(part)) + part for pair in pairs for part in pair)


def encryption(mode, name, identity):
    object_key, wrapping_key = fixed(name + " object key", 32), fixed(name + " wrapping key", 32)
    if mode == "SSE-S3":
        fields_of_mode, bound = dict(mode=mode, tenantKeyVersion=7), [7]
    else:
        context = {"team": "payments", "aws:s3:arn": "arn:aws:s3:::ledger", "\U0001f511": "\uffee"}
        arn = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        fields_of_mode = dict(mode=mode, keyArn=arn, dataKeyBlob=fixed(name + " blob", 184).hex(), encryptionContext=context)
        bound = [arn, context_bytes(context)]
    wrapped = sealed_box(wrapping_key, "keyhold object key v1", fixed(name + " nonce", 16), fixed(name + " iv", 12),
                         object_key, fields(1, mode, *identity, *bound))
    return wrapping_key, object_key, fields_of_mode | dict(wrappedObjectKey=wrapped.hex())


# --- manifests (manifest.ts, field-writer.ts)

def data(value): return struct.pack(">I", len(value)) + value
def text(value): return data(value.encode())
def raw(value): return data(bytes.fromhex(value))
def number(value): return struct.pack(">d", value)
def flag(value): return bytes([value])
def text_or_null(value): return flag(value is not None) + (b"" if value is None else text(value))
def mapping(value):
    return number(len(value)) + b"".join(text(name) + text(value[name]) for name in sorted(value, key=str.encode))


def part_bytes(p):
    return (number(p["partNumber"]) + text(p["blob"]) + raw(p["salt"]) + raw(p["commitment"]) + number(p["size"])
            + text(p["etag"]) + mapping(p["checksums"]) + number(p["createdAt"]))


def encryption_bytes(e):
    if e["mode"] == "SSE-S3":
        return text(e["mode"]) + number(e["tenantKeyVersion"]) + raw(e["wrappedObjectKey"])
    return (text(e["mode"]) + text(e["keyArn"]) + raw(e["dataKeyBlob"]) + mapping(e["encryptionContext"])
            + raw(e["wrappedObjectKey"]))


def manifest_tag(object_key, r):
    body = (text("keyhold-manifest-1") + text(r["account"]) + text(r["bucket"]) + text(r["key"]) + text(r["versionId"])
            + number(r["size"]) + text(r["etag"]) + number(r["createdAt"]) + mapping(r["systemMetadata"])
            + mapping(r["userMetadata"]) + mapping(r["checksums"]) + text_or_null(r["checksumType"])
            + encryption_bytes(r["encryption"]) + number(len(r["parts"]))
            + b"".join(part_bytes(p) for p in r["parts"]) + flag(r["multipart"]))
    return hmac.new(kdf(object_key, "keyhold manifest key v1", b"", 32), body, hashlib.sha256).digest()


def object_vector(mode, parts):
    name = f"{mode}, {len(parts)} parts"
    identity = ["111122223333", "ledger", "2026/\u00fcbersicht \U0001f511.csv", fixed(name + " version", 16).hex()]
    wrapping_key, object_key, encrypted = encryption(mode, name, identity)
    records = []
    for part_number, size in parts:
        salt = fixed(f"{name} salt {part_number}", 32)
        records.append(dict(partNumber=part_number, blob=fixed(f"{name} blob {part_number}", 16).hex(), salt=salt.hex(),
                            commitment=stream_key(object_key, salt, identity[3])[1].hex(), size=size,
                            etag=fixed(f"{name} etag {part_number}", 16).hex(), checksums={"CRC32": "AAAAAA=="},
                            createdAt=1795464000000 + part_number))
    many = len(parts) > 1
    record = dict(zip(["account", "bucket", "key", "versionId"], identity)) | dict(
        size=sum(size for _, size in parts), etag=fixed(name + " etag", 16).hex(), createdAt=1795464000123,
        systemMetadata={"content-type": "text/csv", "cache-control": "no-store"},
        userMetadata={"b": "2", "a": "1", "\U0001f511": "x", "\uffee": "y"},
        checksums={"CRC64NVME": "AAAAAAAAAAA="} if many else {}, checksumType="FULL_OBJECT" if many else None,
        encryption=encrypted, parts=records, multipart=many)
    return dict(name=name, wrappingKey=wrapping_key.hex(), objectKey=object_key.hex(), record=record,
                manifestTag=manifest_tag(object_key, record).hex())


made = json.dumps(dict(
    streams=[stream_vector(size) for size in [0, 1, 16, 65535, 65536, 65537, 131072, 200000]],
    objects=[object_vector("SSE-S3", [(1, 12)]), object_vector("SSE-KMS", [(1, 5242880), (3, 5242881), (10000, 0)])],
), indent=1) + "\n"
if "--check" in sys.argv[1:]:
    same = path.read_text() == made
    print(path.name, "as the layouts say" if same else "DIFFERS")
    sys.exit(not same)
elif path.exists():
    print(path.name, "exists and stays as it is")
else:
    path.write_text(made)
    print(path.name, "made")
