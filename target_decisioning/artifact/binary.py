"""The obfuscated format of an artifact (``rules.bin``).

    bytes 0-4 prefix and ":", 5-7 version, 8-39 key, 40- JSON text XOR (organization id + key, repeated)

Source: semantics.md 2.8.
"""

from __future__ import annotations

import json
import re

from target_decisioning.errors import ArtifactInvalid

VERSION = 1
_HEADER, _KEY = slice(0, 8), slice(8, 40)
_BODY = slice(40, None)
_LEADING_DIGITS = re.compile(rb"\s*(\d+)")


def decode_binary(data: bytes, organization_id: str) -> bytes:
    """Return the JSON text that *data* hides.

    Args:
        data: the whole file.
        organization_id: the IMS organization that the artifact was made for; half of the key.

    Raises:
        ArtifactInvalid: *Invalid Artifact* for another version, *Unable to read artifact JSON* if no JSON comes out
            (the organization is another one, or the file is damaged).
    """
    parts = data[_HEADER].split(b":")
    version = _LEADING_DIGITS.match(parts[1]) if len(parts) > 1 else None
    if version is None or int(version[1]) != VERSION:
        raise ArtifactInvalid(("binary header", "Invalid Artifact", f"version {VERSION}"))
    text = _unmask(data[_BODY], organization_id.encode() + data[_KEY])
    try:
        json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ArtifactInvalid(("binary body", "Unable to read artifact JSON", "JSON text in UTF-8")) from error
    return text


def _unmask(body: bytes, key: bytes) -> bytes:
    """XOR *body* with *key* repeated, as one big number: the fastest way that needs no dependency."""
    mask = (key * (len(body) // len(key) + 1))[: len(body)]
    return (int.from_bytes(body) ^ int.from_bytes(mask)).to_bytes(len(body))
