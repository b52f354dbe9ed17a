"""Makes kms-members.json and kms-operation-errors.json from the service model of AWS KMS.

    pip install botocore==1.43.11
    python3 test/vectors/make-kms-members.py [--check]

The model: botocore, data/kms/2014-11-01/service-2.json, Apache-2.0. What is newer than it is added
from the API documentation of AWS KMS and the AWS SDK for JavaScript (client-kms 3.1164.0,
Apache-2.0); what the service checks otherwise than its model says is marked `server`.
"""

import json
import pathlib
import sys

from botocore.loaders import Loader

HERE = pathlib.Path(__file__).parent
KEPT = ("type", "min", "max", "pattern", "enum", "required", "sensitive")

ALGORITHM = {"shape": "EncapsulationAlgorithmSpec"}
COMMON = {"GrantTokens": {"shape": "GrantTokenList"}, "DryRun": {"shape": "NullableBooleanType"}}
CRYPTOGRAPHIC_ERRORS = [
    "DependencyTimeoutException", "DisabledException", "DryRunOperationException",
    "InvalidGrantTokenException", "InvalidKeyUsageException", "KMSInternalException",
    "KMSInvalidStateException", "KeyUnavailableException", "NotFoundException",
]  # fmt: skip


def newer(operations, shapes):
    """What the API has since."""
    operations["Encapsulate"] = ("EncapsulateRequest", CRYPTOGRAPHIC_ERRORS)
    operations["Decapsulate"] = (
        "DecapsulateRequest",
        sorted([*CRYPTOGRAPHIC_ERRORS, "InvalidCiphertextException"]),
    )
    shapes["EncapsulationAlgorithmSpec"] = {"type": "string", "enum": ["ML_KEM"]}
    key_id = {"shape": "KeyIdType"}
    shapes["EncapsulateRequest"] = {
        "type": "structure",
        "required": ["KeyId", "EncapsulationAlgorithm"],
        "members": {"KeyId": key_id, "EncapsulationAlgorithm": ALGORITHM, **COMMON},
    }
    shapes["DecapsulateRequest"] = {
        "type": "structure",
        "required": ["KeyId", "SharedSecretCiphertextBlob", "EncapsulationAlgorithm"],
        "members": {
            "KeyId": key_id,
            "SharedSecretCiphertextBlob": {"shape": "CiphertextType"},
            "EncapsulationAlgorithm": ALGORITHM,
            **COMMON,
        },
    }
    kem = ["ML_KEM_512", "ML_KEM_768", "ML_KEM_1024"]
    shapes["KeySpec"]["enum"] += kem
    shapes["DataKeyPairSpec"]["enum"] += kem
    shapes["KeyUsageType"]["enum"] += ["ENCAPSULATE_DECAPSULATE"]
    shapes["GrantOperation"]["enum"] += ["Encapsulate", "Decapsulate"]
    shapes["ServicePrincipalType"] = {
        "type": "string",
        "min": 1,
        "max": 128,
        "pattern": r"^([A-Za-z0-9\-]+)\.([A-Za-z0-9\-]+)(\.[A-Za-z0-9\-]+)+$",
    }
    shapes["SourceArnType"] = {
        "type": "string",
        "min": 20,
        "max": 512,
        "pattern": r"^arn:aws[a-z0-9-]*:[a-z0-9-]+:[a-z0-9-]*:[0-9]{12}:.+$",
    }
    service = {"shape": "ServicePrincipalType"}
    grant = shapes["CreateGrantRequest"]
    grant["members"] |= {"GranteeServicePrincipal": service, "RetiringServicePrincipal": service}
    grant["required"] = ["KeyId", "Operations"]
    shapes["GrantConstraints"]["members"]["SourceArn"] = {"shape": "SourceArnType"}
    shapes["ListGrantsRequest"]["members"]["GranteeServicePrincipal"] = service
    retirable = shapes["ListRetirableGrantsRequest"]
    retirable["members"]["RetiringServicePrincipal"] = service
    retirable["required"] = []


def server(shapes):
    """What the service does that its model does not say."""
    shapes["KeyIdType"]["pattern"] = r"^\p{ASCII}+$"
    # Passes here and is refused with the key.
    shapes["SigningAlgorithmSpec"]["passed"] = ["SYMMETRIC_DEFAULT"]
    # In the order in which the service lists them.
    signing = [f"RSASSA_{p}_SHA_{n}" for p in ("PSS", "PKCS1_V1_5") for n in (256, 384, 512)]
    signing += [f"ECDSA_SHA_{n}" for n in (256, 384, 512)]
    signing += ["ED25519_SHA_512", "ED25519_PH_SHA_512", "SM2DSA", "ML_DSA_SHAKE_256"]
    curves = ["NIST_P256", "NIST_P384", "NIST_P521", "SECG_P256K1", "NIST_EDWARDS25519"]
    specs = [f"RSA_{n}" for n in (2048, 3072, 4096)] + [f"ECC_{curve}" for curve in curves]
    specs += ["SYMMETRIC_DEFAULT"] + [f"HMAC_{n}" for n in (224, 256, 384, 512)]
    specs += ["SM2"] + [f"ML_DSA_{n}" for n in (44, 65, 87)]
    listed = {
        "KeyAgreementAlgorithmSpec": ["ECDH"],
        "MacAlgorithmSpec": [f"HMAC_SHA_{n}" for n in (384, 256, 224, 512)],
        "MessageType": ["RAW", "DIGEST", "EXTERNAL_MU"],
        "EncryptionAlgorithmSpec": [
            "RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256", "SM2PKE", "SYMMETRIC_DEFAULT",
        ],
        "SigningAlgorithmSpec": signing,
        "DataKeySpec": specs,  # of KMS keys, not of data keys
    }  # fmt: skip
    for name, values in listed.items():
        shapes[name]["listed"] = values
    # Not shown, though the model does not call it sensitive: whoever holds it may use it.
    shapes["GrantTokenType"]["sensitive"] = True


def references(shape):
    yield from shape.get("members", {}).values()
    for part in ("member", "key", "value"):
        if part in shape:
            yield shape[part]


def reachable(name, shapes, found):
    if name not in found:
        found.add(name)
        for reference in references(shapes[name]):
            reachable(reference["shape"], shapes, found)


def compact(shape):
    short = {part: shape[part] for part in KEPT if shape.get(part) not in (None, [], False)}
    for part in ("listed", "passed"):
        if part in shape:
            short[part] = shape[part]
    if "members" in shape:
        short["members"] = {name: ref["shape"] for name, ref in shape["members"].items()}
    for part in ("member", "key", "value"):
        if part in shape:
            short[part] = shape[part]["shape"]
    return short


def flat(model):
    """botocore keeps constraints as they are in service-2.json."""
    shapes = json.loads(json.dumps(model["shapes"]))
    operations = {
        name: (operation["input"]["shape"], sorted(e["shape"] for e in operation["errors"]))
        for name, operation in model["operations"].items()
    }
    return operations, shapes


def lines(entries):
    return ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in sorted(entries.items()))


def main():
    operations, shapes = flat(Loader().load_service_model("kms", "service-2", "2014-11-01"))
    newer(operations, shapes)
    server(shapes)
    found = set()
    for request, _ in operations.values():
        reachable(request, shapes, found)
    inputs = {name: request for name, (request, _) in operations.items()}
    members = (
        '{\n "operations": {\n' + lines(inputs) + '\n },\n "shapes": {\n'
        + lines({name: compact(shapes[name]) for name in found}) + "\n }\n}\n"
    )  # fmt: skip
    errors = {name: listed for name, (_, listed) in sorted(operations.items())}
    made = {
        "kms-members.json": members,
        "kms-operation-errors.json": json.dumps(errors, indent=1) + "\n",
    }
    if "--check" in sys.argv:
        wrong = [name for name, text in made.items() if (HERE / name).read_text() != text]
        print("differs: " + ", ".join(wrong) if wrong else "as made")
        sys.exit(1 if wrong else 0)
    for name, text in made.items():
        (HERE / name).write_text(text)


main()
