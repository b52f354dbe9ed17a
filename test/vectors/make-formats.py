"""Makes the frozen vectors of Keyhold's own formats, version 1.

A second implementation, in another language and over another library, written from the layouts that
head the files of shared/crypto and shared/hsm. It made the JSON files once; they are never made anew,
because what they hold must open for ever. Run it to check that they still are what the layouts say:

    python3 test/vectors/make-formats.py --check        needs the package `cryptography`
"""
import base64, hashlib, hmac, json, pathlib, struct, sys
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

here = pathlib.Path(__file__).parent


def kdf(key, label, context, length):
    fixed = label.encode() + b"\0" + context + struct.pack(">I", length * 8)
    blocks = (hmac.new(key, struct.pack(">I", i + 1) + fixed, hashlib.sha256).digest() for i in range(-(-length // 32)))
    return b"".join(blocks)[:length]


def committed(key, label, prefix, nonce, iv, plaintext, aad):
    derived = kdf(key, label, nonce, 64)
    header = prefix + nonce + iv + derived[32:]
    return header + AESGCM(derived[:32]).encrypt(iv, plaintext, header + aad)


def sealed_box(key, label, nonce, iv, plaintext, aad):
    return committed(key, label, b"\x01", nonce, iv, plaintext, aad)


def utf8(text):  # generalised: halves of surrogate pairs as three bytes each
    return text.encode("utf-8", "surrogatepass")


def fields(*values):
    out = b""
    for value in values:
        if isinstance(value, str): kind, data = 1, utf8(value)
        elif isinstance(value, int): kind, data = 2, struct.pack(">Q", value)
        else: kind, data = 3, value
        out += bytes([kind]) + struct.pack(">I", len(data)) + data
    return out


def context_bytes(context):
    pairs = sorted((utf8(name), utf8(value)) for name, value in context.items())
    return b"".join(struct.pack(">I", len(part)) + part for pair in pairs for part in pair)


def blob(account, key_id, material_id, material, nonce, iv, plaintext, context):
    multi = key_id.startswith("mrk-")
    prefix = (b"\x01\x01" + int(account).to_bytes(6, "big") + (b"\x01" if multi else b"\x00")
              + bytes.fromhex(key_id[4:] if multi else key_id.replace("-", "")) + bytes.fromhex(material_id))
    return committed(material, "keyhold ciphertext blob v1", prefix, nonce, iv, plaintext, context_bytes(context))


def fixed(name, length):  # any bytes will do, as long as they are always the same
    return hashlib.shake_256(b"keyhold vectors v1 " + name.encode()).digest(length)


def sealed_box_vectors():
    cases = []
    for name, label, plaintext, aad in [
        ("32 bytes", "purpose", fixed("p32", 32), b"aad"),
        ("empty plaintext, empty AAD", "purpose", b"", b""),
        ("one byte", "another purpose", b"\x00", fixed("aad", 300)),
        ("1000 bytes", "purpose", fixed("p1000", 1000), b"\x00"),
    ]:
        key, nonce, iv = fixed(name + " key", 32), fixed(name + " nonce", 16), fixed(name + " iv", 12)
        cases.append(dict(name=name, key=key.hex(), label=label, plaintext=plaintext.hex(), aad=aad.hex(),
                          sealed=sealed_box(key, label, nonce, iv, plaintext, aad).hex()))
    return cases


CONTEXTS = [
    ("empty", {}),
    ("one pair", {"purpose": "test"}),
    ("three pairs", {"b": "2", "a": "1", "aa": ""}),
    ("names that JavaScript knows", {"__proto__": "x", "constructor": "y", "toString": "z"}),
    ("order of bytes, not of UTF-16 units", {"\U0001f511": "astral", "\uffee": "bmp", "\u00e9": "e", "e\u0301": "e"}),
    ("halves of surrogate pairs", {"a\ud83d": "\udd11", "\ufffd": "\ufffd"}),
]


def blob_vectors():
    cases = []
    for i, (name, context) in enumerate(CONTEXTS):
        account = ["111122223333", "000000000001", "999999999999"][i % 3]
        key_id = "1234abcd-12ab-34cd-56ef-1234567890ab" if i % 2 == 0 else "mrk-1234abcd12ab34cd56ef1234567890ab"
        plaintext = fixed(name, [32, 1, 4096, 16, 64, 24][i])
        material, material_id = fixed(name + " material", 32), fixed(name + " material id", 32).hex()
        nonce, iv = fixed(name + " nonce", 16), fixed(name + " iv", 12)
        cases.append(dict(name=name, account=account, keyId=key_id, materialId=material_id, material=material.hex(),
                          plaintext=plaintext.hex(), context=context,
                          blob=blob(account, key_id, material_id, material, nonce, iv, plaintext, context).hex()))
    return cases


def encoding_vectors():
    lists = [[], ["aws", 1, "\u00e9"], [""], [0], [2**53 - 1], ["\ud83d", "\udd11"], ["\U0001f511"]]
    return dict(
        fields=[dict(fields=each, bytes=fields(*each).hex()) for each in lists],
        contexts=[dict(name=name, context=context, bytes=context_bytes(context).hex()) for name, context in CONTEXTS],
    )


def hierarchy_vectors():
    """From the root key's file down to a caller's plaintext."""
    root, tenant, material = fixed("root", 32), fixed("tenant", 32), fixed("material", 32)
    root_id = "software:" + kdf(root, "keyhold software root key id v1", b"", 16).hex()
    content = f"keyhold-root-key-v1 {root_id} {base64.b64encode(root).decode()} "
    account, region, key_id, version, number = "111122223333", "eu-central-1", "1234abcd-12ab-34cd-56ef-1234567890ab", 3, 2
    material_id, plaintext, context = fixed("id", 32).hex(), b"attack at dawn", {"purpose": "test"}
    sealed_tenant_key = sealed_box(root, "keyhold sealed by software root key v1", fixed("n1", 16), fixed("i1", 12), tenant,
                                   fields("keyhold sealed tenant key v1", "aws", account, version, root_id))
    purposes = {purpose: kdf(tenant, f"keyhold tenant key v1 {purpose}", fields("aws", account, version), 32)
                for purpose in ["material", "access-key", "marker", "object"]}
    label = "keyhold wrapped key material v1"
    wrapped = sealed_box(purposes["material"], label, fixed("n2", 16), fixed("i2", 12), material,
                         fields(label, "aws", region, account, key_id, material_id, number, "SYMMETRIC_DEFAULT", "AWS_KMS", version))
    return dict(
        rootKeyFile=content + hashlib.sha256(content.encode()).hexdigest() + "\n", rootKeyId=root_id,
        account=account, region=region, keyId=key_id, keySpec="SYMMETRIC_DEFAULT", origin="AWS_KMS",
        tenantKey=dict(version=version, sealed=sealed_tenant_key.hex()),
        purposes={name: key.hex() for name, key in purposes.items()},
        material=dict(number=number, materialId=material_id, wrapped=wrapped.hex(), bytes=material.hex()),
        blob=blob(account, key_id, material_id, material, fixed("n3", 16), fixed("i3", 12), plaintext, context).hex(),
        context=context, plaintext=plaintext.hex(),
    )


files = {"sealed-box-v1.json": sealed_box_vectors, "ciphertext-blob-v1.json": blob_vectors,
         "encodings-v1.json": encoding_vectors, "key-hierarchy-v1.json": hierarchy_vectors}
failed = 0
for name, make in files.items():
    text = json.dumps(make(), indent=1) + "\n"
    path = here / name
    if "--check" in sys.argv[1:]:
        same = path.read_text() == text
        failed += not same
        print(name, "as the layouts say" if same else "DIFFERS")
    elif path.exists():
        print(name, "exists and stays as it is")
    else:
        path.write_text(text)
        print(name, "made")
sys.exit(1 if failed else 0)
