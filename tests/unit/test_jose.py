"""The only access to PyJWT: cryptography is not imported until a key needs it, even in a running process."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from chalicelib.web.auth import jwt

ROOT = Path(__file__).resolve().parents[2]
HEAD = """
import json, sys, time
sys.path.insert(0, {root!r})
from chalicelib.web.auth import jwt
from chalicelib.web.auth.access_tokens import AccessTokens, TokenKeys
SHARED = {{"kty": "oct", "kid": "shared", "alg": "HS256", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC1z"}}
def has(name):
    return name in sys.modules
def made(kind):
    # By the library itself, in a process of its own: this one must not have it.
    import subprocess
    code = (
        "import json, sys\\n"
        "from jwt.algorithms import RSAAlgorithm, ECAlgorithm\\n"
        "from cryptography.hazmat.primitives.asymmetric import rsa, ec\\n"
        "key = {{'rsa': lambda: RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 2048)),"
        " 'ec': lambda: ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()))}}[sys.argv[1]]()\\n"
        "print(key)"
    )
    done = subprocess.run([sys.executable, "-c", code, kind], capture_output=True, text=True, check=True)
    return json.loads(done.stdout) | {{"kid": kind}}
def tokens(*keys):
    holder = [keys]
    clock = [0.0]
    made = AccessTokens(TokenKeys(lambda: json.dumps({{"keys": holder[0]}}), lambda: clock[0]), "https://x.example")
    return made, holder, clock
def issue(tokens):
    return tokens.issue(app="a", viewer="v", scopes=["s"], lifetime=60)
"""


def run(code: str) -> str:
    """Run code in a new process, which shares no imports with this one, and return its output."""
    script = HEAD.format(root=str(ROOT)) + code
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_shared_keys_alone_leave_cryptography_out_and_others_have_all_of_the_library() -> None:
    code = """
ours, _, _ = tokens(SHARED)
assert ours.check(issue(ours)).viewer == "v"
assert not has("cryptography")
import jwt
assert jwt.algorithms.has_crypto and has("cryptography")
assert ours.check(issue(ours)).viewer == "v"
"""
    run(code)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_an_asymmetric_key_signs_and_is_checked(kind: str) -> None:
    code = f"""
ours, _, _ = tokens(made({kind!r}))
assert ours.check(issue(ours)).viewer == "v"
assert has("cryptography")
"""
    run(code)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_keys_may_become_asymmetric_in_a_running_process(kind: str) -> None:
    """The old token, and a key that was taken before, stay valid."""
    code = f"""
ours, holder, clock = tokens(SHARED)
old, key = issue(ours), ours._keys.signing()
assert not has("cryptography")
fresh = made({kind!r})
other, _, _ = tokens(fresh)
new = issue(other)
holder[0] = (fresh, SHARED)
clock[0] = 61
assert ours.check(new).viewer == ours.check(old).viewer == "v"
assert ours._keys.signing().id == {kind!r}
assert key.claims(key.sign({{"iss": "x", "exp": time.time() + 9}}, "t"), issuer="x", required=["exp"])["iss"] == "x"
"""
    run(code)


def test_cryptography_is_hidden_from_one_thread_alone() -> None:
    hidden: Any = jwt._Hidden("cryptography")
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(hidden.find_spec("cryptography")))
    thread.start()
    thread.join()

    assert found == [None]
    assert hidden.find_spec("cryptography.fernet") is hidden.find_spec("json") is None
    with pytest.raises(ModuleNotFoundError):
        hidden.find_spec("cryptography")


@pytest.mark.parametrize(
    "jwks",
    [
        [{"kty": "oct", "k": "c2VjcmV0"}],
        [{"kty": "oct", "kid": "a"}],
        [{"kty": "none", "kid": "a", "k": "c2VjcmV0"}],
        [{"kid": "a", "k": "c2VjcmV0"}],
        [{"kty": "RSA", "kid": "a", "n": "c2VjcmV0", "d": "c2VjcmV0"}],
        [{"kty": "oct", "kid": "a", "alg": "RS256", "k": "c2VjcmV0"}],
    ],
)
def test_what_is_no_key_is_refused_without_a_word_of_it(jwks: list[dict[str, str]]) -> None:
    with pytest.raises(jwt.Invalid) as refused:
        jwt.keys(jwks)

    assert "c2VjcmV0" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_header_is_read_of_what_has_one() -> None:
    encoded = "eyJhbGciOiJIUzI1NiIsImtpZCI6ImsifQ"
    assert jwt.header(f"{encoded}.e30.c2ln")["kid"] == "k"
    for text in ("", ".", "..", "x", "!.e30.c2ln", "bnVsbA.e30.c2ln", "é"):
        with pytest.raises(jwt.Invalid):
            jwt.header(text)


def test_nobody_else_goes_past_the_door() -> None:
    for path in (ROOT / "chalicelib").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            assert path.name == "jwt.py" or not [name for name in names if name.partition(".")[0] == "jwt"], path


def test_the_set_has_no_secret_in_its_error() -> None:
    with pytest.raises(jwt.Invalid):
        jwt.keys(json.loads('[{"kty": "EC", "kid": "a", "crv": "P-999"}]'))
