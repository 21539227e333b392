"""The two signatures against an independent implementation: openssl on the command line."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportUnknownLambdaType=false, reportMissingTypeStubs=false

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from statsig_segment import SignatureError, verify_segment_signature, verify_statsig_signature

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl here"),
]

SECRETS = ("secret", "with spaces, and: colons", "Schlüssel 🗝", "k" * 200)
EXAMPLES = Path(__file__).parents[2] / "examples"


def bodies() -> list[bytes]:
    """JSON bodies with odd spacing, the examples, and bytes that are no text."""
    drawn = random.Random(2026)
    texts = [json.dumps({"type": "track", "event": "é 🚶", "n": drawn.random()}, indent=drawn.choice([None, 1, 4]))]
    texts += [" \n{ } ", "{}", '"word"', "[", ""]
    samples = [(EXAMPLES / name).read_bytes() for name in ("segment_batch.json", "statsig_webhook.json")]
    return [*(text.encode() for text in texts), *samples, *(drawn.randbytes(2**size) for size in range(0, 17, 2))]


BODIES = bodies()


def openssl(digest: str, secret: str, signed: bytes) -> str:
    """Make an HMAC in hexadecimal. The key goes as hexadecimal digits, so that no byte of it is read otherwise."""
    command = ["openssl", "dgst", f"-{digest}", "-mac", "HMAC", "-macopt", f"hexkey:{secret.encode().hex()}"]
    done = subprocess.run(command, input=signed, capture_output=True, timeout=60, check=True)  # noqa: S603
    return done.stdout.decode().split()[-1]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
class TestStatsig:
    def test_it_accepts_what_openssl_signed_and_nothing_else(self, body: bytes, secret: str) -> None:
        signature = "v0=" + openssl("sha256", secret, b"v0:1793692800123:" + body)

        verify_statsig_signature(body, "1793692800123", signature, secret)
        for wrong in (
            (body + b" ", "1793692800123", secret),
            (body, "1793692800124", secret),
            (body, "", secret + "x"),
        ):
            with pytest.raises(SignatureError) as caught:
                verify_statsig_signature(wrong[0], wrong[1], signature, wrong[2])
            assert caught.value.code == "signature_mismatch"


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
class TestSegment:
    def test_it_accepts_what_openssl_signed_and_nothing_else(self, body: bytes, secret: str) -> None:
        signature = openssl("sha1", secret, body)

        verify_segment_signature(body, signature, secret)
        for wrong_body, wrong_secret in ((b"x" + body, secret), (body, secret + "x")):
            with pytest.raises(SignatureError) as caught:
                verify_segment_signature(wrong_body, signature, wrong_secret)
            assert caught.value.code == "signature_mismatch"


@pytest.mark.parametrize("first", ['{"a": 1}', '{ "é" : [1, {"b":"]"}] }', '"x,y"', "1.50", "[1,[2]]"])
def test_of_a_batch_segment_signs_the_bytes_of_the_first_element_or_of_the_whole_body(first: str) -> None:
    body = f' [\n{first} , {{"b": 2}}]'.encode()

    for signed in (first.encode(), body):
        verify_segment_signature(body, openssl("sha1", "secret", signed), "secret")
    for signed in (b'{"b": 2}', body.strip(), first.encode() + b" "):
        with pytest.raises(SignatureError):
            verify_segment_signature(body, openssl("sha1", "secret", signed), "secret")
