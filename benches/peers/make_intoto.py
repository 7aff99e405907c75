#!/usr/bin/env python3
"""Makes an in-toto layout over the files of a folder, beside that folder: make_intoto.py FOLDER

Each file is the product of a step of its own, whose link is signed with one agent's Ed25519 key. One inspection
matches each file as it is with what its step produced, and allows no other file. Then, in FOLDER:
  in-toto-verify --layout ../root.layout --verification-keys ../owner.pub --link-dir ../links
"""
import hashlib
import os
import sys
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from in_toto.models.layout import Inspection, Layout, Step
from in_toto.models.link import Link
from in_toto.models.metadata import Metablock
from securesystemslib.signer import CryptoSigner


def pem(signer):
    public = signer.public_key.keyval["public"]
    if "BEGIN" in public:
        return public.encode()
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public))
    return key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def signed(what, signer, path):
    block = Metablock(signed=what)
    block.create_signature(signer)
    block.dump(path)


os.chdir(sys.argv[1])
os.makedirs("../links", exist_ok=True)
owner, agent = CryptoSigner.generate_ed25519(), CryptoSigner.generate_ed25519()
with open("../owner.pub", "wb") as file:
    file.write(pem(owner))
id = agent.public_key.keyid
expires = datetime.now(timezone.utc) + timedelta(days=3650)
layout = Layout(expires=expires.strftime("%Y-%m-%dT%H:%M:%SZ"))
layout.keys[id] = {**agent.public_key.to_dict(), "keyid": id}
rules = []
for folder, _, names in sorted(os.walk(".")):
    for name in sorted(names):
        path = os.path.normpath(os.path.join(folder, name))
        with open(path, "rb") as file:
            product = {path: {"sha256": hashlib.sha256(file.read()).hexdigest()}}
        step = Step(name=name, pubkeys=[id], threshold=1)
        step.expected_products = [["CREATE", path], ["DISALLOW", "*"]]
        layout.steps.append(step)
        signed(Link(name=name, products=product), agent, f"../links/{name}.{id[:8]}.link")
        rules.append(["MATCH", path, "WITH", "PRODUCTS", "FROM", name])
rules.append(["DISALLOW", "*"])
layout.inspect.append(Inspection(name="look", run=["true"], expected_materials=rules))
signed(layout, owner, "../root.layout")
