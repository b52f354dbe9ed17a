"""A session of boto3 with AWS KMS as Keyhold serves it: what it prints is what it has seen.

Its endpoint, Region and credentials come from the environment, as boto3 reads them. Each check is a
line "ok <name>"; the first that does not hold ends the session.
"""

import hashlib
import os
import sys
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ParamValidationError

kms = boto3.client("kms", config=Config(retries={"max_attempts": 1}))
west = boto3.client("kms", region_name="us-west-2")
account = boto3.client("sts").get_caller_identity()["Account"]


def check(name, holds):
    if not holds:
        sys.exit(f"not ok {name}")
    print(f"ok {name}")


def refused(exception, call, **request):
    """The error, when the call is refused with it; otherwise the session ends."""
    try:
        call(**request)
    except exception as error:
        return error
    sys.exit(f"not ok {request} was not refused")


def key(**request):
    return kms.create_key(**request)["KeyMetadata"]


def administration():
    made = key(Description="one", Tags=[{"TagKey": "team", "TagValue": "a"}])
    key_id = made["KeyId"]
    check("create_key", made["KeyState"] == "Enabled" and made["AWSAccountId"] == account)
    kms.update_key_description(KeyId=key_id, Description="two")
    described = kms.describe_key(KeyId=made["Arn"])["KeyMetadata"]
    check("describe_key", described["Description"] == "two")
    check("dates are dates", described["CreationDate"].tzinfo is not None)
    alias = f"alias/boto3/{uuid.uuid4()}"
    kms.create_alias(AliasName=alias, TargetKeyId=key_id)
    kms.update_alias(AliasName=alias, TargetKeyId=key()["KeyId"])
    kms.update_alias(AliasName=alias, TargetKeyId=key_id)
    check("an alias names the key", kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"] == key_id)
    refused(kms.exceptions.AlreadyExistsException, kms.create_alias, AliasName=alias, TargetKeyId=key_id)
    kms.delete_alias(AliasName=alias)
    refused(kms.exceptions.NotFoundException, kms.describe_key, KeyId=alias)
    kms.tag_resource(KeyId=key_id, Tags=[{"TagKey": "cost", "TagValue": ""}])
    kms.untag_resource(KeyId=key_id, TagKeys=["team"])
    tags = kms.list_resource_tags(KeyId=key_id)["Tags"]
    check("tags", tags == [{"TagKey": "cost", "TagValue": ""}])
    policy = kms.get_key_policy(KeyId=key_id, PolicyName="default")["Policy"]
    kms.put_key_policy(KeyId=key_id, PolicyName="default", Policy=policy)
    check("policies", kms.list_key_policies(KeyId=key_id)["PolicyNames"] == ["default"])
    refused(
        kms.exceptions.MalformedPolicyDocumentException,
        kms.put_key_policy, KeyId=key_id, Policy="{}",
    )  # fmt: skip
    kms.disable_key(KeyId=key_id)
    error = refused(kms.exceptions.DisabledException, kms.encrypt, KeyId=key_id, Plaintext=b"a")
    check("a refusal has its status", error.response["ResponseMetadata"]["HTTPStatusCode"] == 400)
    check("a refusal has its words", error.response["Error"]["Message"] == f"{made['Arn']} is disabled.")
    kms.enable_key(KeyId=key_id)
    kms.schedule_key_deletion(KeyId=key_id, PendingWindowInDays=7)
    refused(kms.exceptions.KMSInvalidStateException, kms.enable_key, KeyId=key_id)
    kms.cancel_key_deletion(KeyId=key_id)
    check("a cancelled deletion", not kms.describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"])
    refused(kms.exceptions.NotFoundException, kms.describe_key, KeyId=str(uuid.uuid4()))
    check("get_key_last_usage", "KeyLastUsage" in kms.get_key_last_usage(KeyId=key_id))


def validation():
    refused(ParamValidationError, kms.encrypt, KeyId="a")
    error = refused(ClientError, kms.describe_key, KeyId="é")
    check("what the server alone checks", error.response["Error"]["Code"] == "ValidationException")


def encryption():
    key_id = key()["KeyId"]
    context = {"EncryptionContext": {"purpose": "session", "ü": "€"}}
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"hello", **context)["CiphertextBlob"]
    check("decrypt", kms.decrypt(CiphertextBlob=blob, **context)["Plaintext"] == b"hello")
    refused(kms.exceptions.InvalidCiphertextException, kms.decrypt, CiphertextBlob=blob)
    refused(
        kms.exceptions.IncorrectKeyException,
        kms.decrypt, CiphertextBlob=blob, KeyId=key()["KeyId"], **context,
    )  # fmt: skip
    again = kms.re_encrypt(
        CiphertextBlob=blob,
        SourceEncryptionContext=context["EncryptionContext"],
        DestinationKeyId=key()["KeyId"],
    )["CiphertextBlob"]
    check("re_encrypt", kms.decrypt(CiphertextBlob=again)["Plaintext"] == b"hello")
    data_key = kms.generate_data_key(KeyId=key_id, KeySpec="AES_256")
    opened = kms.decrypt(CiphertextBlob=data_key["CiphertextBlob"])["Plaintext"]
    check("generate_data_key", opened == data_key["Plaintext"] and len(opened) == 32)
    wrapped = kms.generate_data_key_without_plaintext(KeyId=key_id, NumberOfBytes=24)
    check("no plaintext", "Plaintext" not in wrapped)
    pair = kms.generate_data_key_pair(KeyId=key_id, KeyPairSpec="ECC_NIST_P256")
    opened = kms.decrypt(CiphertextBlob=pair["PrivateKeyCiphertextBlob"])["Plaintext"]
    check("generate_data_key_pair", opened == pair["PrivateKeyPlaintext"])
    pair = kms.generate_data_key_pair_without_plaintext(KeyId=key_id, KeyPairSpec="ECC_NIST_P256")
    check("no private key", "PrivateKeyPlaintext" not in pair)
    check("generate_random", len(kms.generate_random(NumberOfBytes=1024)["Plaintext"]) == 1024)
    refused(
        kms.exceptions.DryRunOperationException,
        kms.encrypt, KeyId=key_id, Plaintext=b"hello", DryRun=True,
    )  # fmt: skip


def asymmetric():
    rsa = key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")["KeyId"]
    oaep = {"KeyId": rsa, "EncryptionAlgorithm": "RSAES_OAEP_SHA_256"}
    blob = kms.encrypt(Plaintext=b"hello", **oaep)["CiphertextBlob"]
    check("RSAES-OAEP", kms.decrypt(CiphertextBlob=blob, **oaep)["Plaintext"] == b"hello")
    for spec, algorithm in [
        ("ECC_NIST_P256", "ECDSA_SHA_256"),
        ("ECC_NIST_EDWARDS25519", "ED25519_SHA_512"),
        ("ML_DSA_65", "ML_DSA_SHAKE_256"),
    ]:
        key_id = key(KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyId"]
        request = {"KeyId": key_id, "Message": b"hello", "SigningAlgorithm": algorithm}
        signature = kms.sign(**request)["Signature"]
        check(f"verify {spec}", kms.verify(Signature=signature, **request)["SignatureValid"])
        refused(
            kms.exceptions.KMSInvalidSignatureException,
            kms.verify, Signature=signature, **{**request, "Message": b"other"},
        )  # fmt: skip
        check(f"get_public_key {spec}", kms.get_public_key(KeyId=key_id)["KeySpec"] == spec)
    digest = hashlib.sha256(b"hello").digest()
    key_id = key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyId"]
    request = {"KeyId": key_id, "SigningAlgorithm": "ECDSA_SHA_256"}
    signature = kms.sign(Message=digest, MessageType="DIGEST", **request)["Signature"]
    check("a digest", kms.verify(Message=b"hello", Signature=signature, **request)["SignatureValid"])
    refused(kms.exceptions.InvalidKeyUsageException, kms.encrypt, KeyId=key_id, Plaintext=b"a")
    mac_key = key(KeySpec="HMAC_384", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    request = {"KeyId": mac_key, "Message": b"hello", "MacAlgorithm": "HMAC_SHA_384"}
    mac = kms.generate_mac(**request)["Mac"]
    check("verify_mac", kms.verify_mac(Mac=mac, **request)["MacValid"])
    refused(kms.exceptions.KMSInvalidMacException, kms.verify_mac, Mac=mac[::-1], **request)
    agreed = [key(KeySpec="ECC_NIST_P384", KeyUsage="KEY_AGREEMENT")["KeyId"] for _ in range(2)]
    public = [kms.get_public_key(KeyId=key_id)["PublicKey"] for key_id in agreed]
    secrets = [
        kms.derive_shared_secret(KeyId=mine, KeyAgreementAlgorithm="ECDH", PublicKey=theirs)
        for mine, theirs in zip(agreed, reversed(public))
    ]
    check("derive_shared_secret", secrets[0]["SharedSecret"] == secrets[1]["SharedSecret"])
    refused(kms.exceptions.UnsupportedOperationException, kms.get_public_key, KeyId=mac_key)


def grants():
    key_id = key()["KeyId"]
    principal = f"arn:aws:iam::{account}:user/admin"
    request = {"KeyId": key_id, "GranteePrincipal": principal, "Operations": ["Encrypt"]}
    granted = [kms.create_grant(RetiringPrincipal=principal, **request) for _ in range(3)]
    ids = {grant["GrantId"] for grant in granted}
    pages = kms.get_paginator("list_grants").paginate(KeyId=key_id, PaginationConfig={"PageSize": 2})
    check("list_grants in pages", {grant["GrantId"] for page in pages for grant in page["Grants"]} == ids)
    pages = kms.get_paginator("list_retirable_grants").paginate(RetiringPrincipal=principal)
    found = {grant["GrantId"] for page in pages for grant in page["Grants"]}
    check("list_retirable_grants", ids <= found)
    kms.encrypt(KeyId=key_id, Plaintext=b"a", GrantTokens=[granted[0]["GrantToken"]])
    kms.revoke_grant(KeyId=key_id, GrantId=granted[0]["GrantId"])
    kms.retire_grant(GrantToken=granted[1]["GrantToken"])
    left = kms.list_grants(KeyId=key_id)["Grants"]
    check("grants end", [grant["GrantId"] for grant in left] == [granted[2]["GrantId"]])
    refused(
        kms.exceptions.InvalidGrantTokenException,
        kms.encrypt, KeyId=key_id, Plaintext=b"a", GrantTokens=["none"],
    )  # fmt: skip


def rotation():
    key_id = key()["KeyId"]
    kms.enable_key_rotation(KeyId=key_id, RotationPeriodInDays=90)
    status = kms.get_key_rotation_status(KeyId=key_id)
    check("rotation", status["KeyRotationEnabled"] and status["RotationPeriodInDays"] == 90)
    kms.disable_key_rotation(KeyId=key_id)
    kms.rotate_key_on_demand(KeyId=key_id)
    pages = kms.get_paginator("list_key_rotations").paginate(
        KeyId=key_id, IncludeKeyMaterial="ALL_KEY_MATERIAL"
    )
    materials = [entry for page in pages for entry in page["Rotations"]]
    check("list_key_rotations", materials[0]["KeyMaterialState"] in ("CURRENT", "NON_CURRENT"))
    hmac = key(KeySpec="HMAC_256", KeyUsage="GENERATE_VERIFY_MAC")["KeyId"]
    refused(kms.exceptions.UnsupportedOperationException, kms.enable_key_rotation, KeyId=hmac)


def imported():
    key_id = key(Origin="EXTERNAL")["KeyId"]
    refused(kms.exceptions.KMSInvalidStateException, kms.encrypt, KeyId=key_id, Plaintext=b"a")
    wanted = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    parameters = kms.get_parameters_for_import(KeyId=key_id, **wanted)
    request = {
        "KeyId": key_id,
        "ImportToken": parameters["ImportToken"],
        "ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE",
    }
    material = oaep(parameters["PublicKey"], os.urandom(32))
    kms.import_key_material(EncryptedKeyMaterial=material, **request)
    check("import_key_material", kms.describe_key(KeyId=key_id)["KeyMetadata"]["Enabled"])
    refused(
        kms.exceptions.IncorrectKeyMaterialException,
        kms.import_key_material,
        EncryptedKeyMaterial=oaep(parameters["PublicKey"], os.urandom(32)), **request,
    )  # fmt: skip
    refused(
        kms.exceptions.InvalidImportTokenException,
        kms.import_key_material, EncryptedKeyMaterial=material, **{**request, "ImportToken": b"none"},
    )  # fmt: skip
    kms.delete_imported_key_material(KeyId=key_id)
    state = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    check("delete_imported_key_material", state == "PendingImport")


def oaep(public_key, material):
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding

    sha256 = hashes.SHA256()
    scheme = padding.OAEP(mgf=padding.MGF1(algorithm=sha256), algorithm=sha256, label=None)
    return serialization.load_der_public_key(public_key).encrypt(material, scheme)


def multi_region():
    made = key(MultiRegion=True)
    key_id = made["KeyId"]
    replica = kms.replicate_key(KeyId=key_id, ReplicaRegion="us-west-2")["ReplicaKeyMetadata"]
    check("replicate_key", replica["Arn"] == made["Arn"].replace("us-east-1", "us-west-2"))
    enabled(west, key_id)
    blob = kms.encrypt(KeyId=key_id, Plaintext=b"hello")["CiphertextBlob"]
    check("across Regions", west.decrypt(CiphertextBlob=blob)["Plaintext"] == b"hello")
    kms.update_primary_region(KeyId=key_id, PrimaryRegion="us-west-2")
    enabled(west, key_id)
    configuration = west.describe_key(KeyId=key_id)["KeyMetadata"]["MultiRegionConfiguration"]
    check("update_primary_region", configuration["MultiRegionKeyType"] == "PRIMARY")
    refused(
        kms.exceptions.UnsupportedOperationException,
        kms.replicate_key, KeyId=key()["KeyId"], ReplicaRegion="us-west-2",
    )  # fmt: skip


def enabled(client, key_id):
    """KMS has no waiters, so this asks until the key is Enabled, as their users do."""
    import time

    for _ in range(100):
        if client.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] == "Enabled":
            return
        time.sleep(0.1)
    sys.exit(f"not ok {key_id} is not enabled")


def stores():
    pages = kms.get_paginator("describe_custom_key_stores").paginate()
    check("describe_custom_key_stores", all("CustomKeyStores" in page for page in pages))
    for call in (kms.connect_custom_key_store, kms.disconnect_custom_key_store):
        refused(kms.exceptions.CustomKeyStoreNotFoundException, call, CustomKeyStoreId="cks-0")


def listings():
    made = {key()["KeyId"] for _ in range(3)}
    pages = kms.get_paginator("list_keys").paginate(PaginationConfig={"PageSize": 50})
    check("list_keys in pages", made <= {entry["KeyId"] for page in pages for entry in page["Keys"]})
    key_id = made.pop()
    names = {f"alias/boto3/{uuid.uuid4()}" for _ in range(3)}
    for name in names:
        kms.create_alias(AliasName=name, TargetKeyId=key_id)
    pages = kms.get_paginator("list_aliases").paginate(
        KeyId=key_id, PaginationConfig={"PageSize": 2}
    )
    check("list_aliases in pages", {a["AliasName"] for page in pages for a in page["Aliases"]} == names)
    refused(kms.exceptions.InvalidMarkerException, kms.list_keys, Marker="none")
    for operation in ("list_key_policies", "list_resource_tags"):
        pages = list(kms.get_paginator(operation).paginate(KeyId=key_id))
        check(f"{operation} in pages", len(pages) == 1 and not pages[0]["Truncated"])


def errors():
    """Every error that the model has is a class of the client."""
    model = kms.meta.service_model
    missing = [
        shape.name for shape in model.error_shapes if not hasattr(kms.exceptions, shape.name)
    ]
    check("exceptions are classes", missing == [])


for part in (
    administration, validation, encryption, asymmetric, grants, rotation,
    imported, multi_region, stores, listings, errors,
):  # fmt: skip
    part()
print("done")
