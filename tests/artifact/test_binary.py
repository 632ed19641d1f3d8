from __future__ import annotations

import json

import pytest

from target_decisioning.artifact.binary import decode_binary
from target_decisioning.errors import ArtifactInvalid
from tests.shared import vectors


def test_files_are_read_or_refused_as_the_vectors_say():
    for case in vectors("obfuscation"):
        data = bytes.fromhex(case["file_hex"])
        if "error" in case:
            with pytest.raises(ArtifactInvalid) as caught:
                decode_binary(data, case["organization_id"])
            assert caught.value.found == case["error"], case["label"]
        else:
            assert json.loads(decode_binary(data, case["organization_id"])) == case["result"], case["label"]


@pytest.mark.parametrize("data", [b"", b":", b"ATOD:1", b"ATOD:001" + b"k" * 32 + b"\xff" * 9])
def test_what_is_no_such_file_is_invalid(data):
    with pytest.raises(ArtifactInvalid):
        decode_binary(data, "x@AdobeOrg")
