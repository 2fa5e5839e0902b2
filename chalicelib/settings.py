"""The settings: environment variables, defaults and meanings.

If a setting is missing or wrong, the start fails with one sentence that names it.
"""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from chalicelib.core.imaging.renditions import ImageBounds
from chalicelib.core.limits import Limits

UNKNOWN = "unknown"


class WrongSetting(Exception):
    """A setting that is missing or out of range. The message names it and contains no secrets."""

    loggable = True


@dataclass(frozen=True)
class Settings:
    """The settings of a deployment, as `read` reads them from the environment."""

    stage: str
    """ENGAWA_STAGE: local, dev or prod. The names of the tables are `engawa-<stage>-…`."""
    bucket: str
    """ENGAWA_BUCKET: the bucket for files and oversized answers."""
    issuer: str
    """ENGAWA_ISSUER: the public base URL without a final slash. It is the issuer and audience of access tokens.
    If it is empty, the platform takes the URL of API Gateway's stage from its first request (api/base_url.py)."""
    token_keys_file: str | None
    """ENGAWA_TOKEN_KEYS_FILE: the path of the JWK Set that signs and verifies tokens, or"""
    token_keys_secret: str | None
    """ENGAWA_TOKEN_KEYS_SECRET: the id of the Secrets Manager secret that contains it."""
    secret_keys_file: str | None
    """ENGAWA_SECRET_KEYS_FILE: the path of the Fernet keys that encrypt the secrets of apps, or"""
    secret_keys_secret: str | None
    """ENGAWA_SECRET_KEYS_SECRET: the id of the Secrets Manager secret that contains them."""
    limits: Limits
    """The limits that a deployment may set: ENGAWA_QUOTA_BYTES, ENGAWA_MAX_KEYS, ENGAWA_FRIENDS_BYTES,
    ENGAWA_RATE_WRITES and ENGAWA_RATE_SECONDS."""
    name: str = ""
    """ENGAWA_NAME: the platform's name on its pages, at most 40 characters; `Engawa`, in Japanese `縁側`, if empty."""
    about: Mapping[str, str] = field(default_factory=dict)
    """ENGAWA_ABOUT_JA and ENGAWA_ABOUT_EN: what this platform is, for the front page, by language; at most 1,000
    characters each. Without one, the front page has a text of ours in that language."""
    strict_profiles: bool = False
    """ENGAWA_PROFILE_VISIBILITY: `lenient` (False, the default: the permission matrix as printed) or `strict`. With
    `strict`, an app gets fields that a user publishes to friends (of friends) only if its viewer is one of them."""

    proxies: int = 0
    """ENGAWA_PROXIES: the number of our proxies (such as CloudFront) in front of API Gateway. It decides which address
    in `X-Forwarded-For` is used to count failed sign-ins."""
    proxy_keys: tuple[str, ...] = field(default=(), repr=False)
    """ENGAWA_PROXY_KEY: the value of `X-Engawa-Proxy-Key` from our proxies, or two values, separated by a space, while
    it changes. If it is set, `X-Forwarded-For` is ignored in requests without the key, which have bypassed the
    proxies. Requests to a function URL (web/function_url.py) are refused without it."""
    utc_offset: int = 540
    """ENGAWA_UTC_OFFSET: the UTC offset of dates in the Page API, "+09:00" by default; here in minutes."""
    favorite_shards: int = 1
    """ENGAWA_FAVORITE_SHARDS: the number of shards (1 to 64) of the favorites counter of a new content
    (docs/internals/architecture.md). Existing contents keep theirs."""
    log_days: int = 365
    """ENGAWA_LOG_DAYS: the number of days (1 to 3,650) for which entries of the action log are kept."""
    openid_issuer: str | None = None
    """ENGAWA_OPENID_ISSUER: the issuer whose access tokens replace the sign-in here, with"""
    openid_jwks: str | None = None
    """ENGAWA_OPENID_JWKS: the URL of its JWK Set. Set both or none."""
    launch_keys_file: str | None = None
    """ENGAWA_LAUNCH_KEYS_FILE: the path of the keys that sign the starts of page apps (web/auth/launch_keys.py), or"""
    launch_keys_secret: str | None = None
    """ENGAWA_LAUNCH_KEYS_SECRET: the id of the Secrets Manager secret with them. Without both, no app starts."""

    signed_urls: tuple[str, ...] = ()
    """ENGAWA_SIGNED_URLS: further base URLs, separated by commas, that OAuth 1.0a clients may sign, such as the name
    of this server in old clients. They are accepted in addition to ENGAWA_ISSUER, each with http and https."""
    body_hash: bool = False
    """ENGAWA_BODY_HASH: `optional` (False, the default) or `required`. With `optional`, a signed request with a JSON
    body may omit `oauth_body_hash`, as old clients do."""

    cleaning_queue: str = ""
    """ENGAWA_CLEANING_QUEUE: the queue of cleanup tasks; `engawa-<stage>-cleaning` by default."""

    image_bounds: ImageBounds = field(default_factory=ImageBounds)
    """ENGAWA_IMAGE_BYTES and ENGAWA_IMAGE_PIXELS: the maximum size of an image that is uploaded or fetched.
    ENGAWA_IMAGE_EDGES: the longest edges of its renditions in the Page API, "180,76,40" by default.
    ENGAWA_IMAGE_WIDE_EDGE: the longest edge of its rendition on web pages, 1200 by default."""
    images_url: str = ""
    """ENGAWA_IMAGES_URL: the URL that serves the folder `images/` of the bucket; the issuer's `/images` by default."""
    commit: str = UNKNOWN
    """ENGAWA_COMMIT: the commit of the running code, `unknown` by default; `make deploy` sets it."""
    metrics: bool = False
    """ENGAWA_METRICS: 1 to have CloudWatch make metrics of the log lines, for each route. It bills each metric."""
    fetch_loopback: bool = False
    """ENGAWA_FETCH_LOOPBACK: 1 to also fetch images from 127.0.0.1 and ::1. It is allowed only in the stage local."""
    sample: bool = False
    """ENGAWA_SAMPLE: 1 if the sample game is at `/sample`, for a link on the front page; only in the stage local."""

    def table(self, name: str) -> str:
        """Return the full name of a table."""
        return f"engawa-{self.stage}-{name}"

    def named(self, issuer: str) -> "Settings":
        """Return these settings, which have no issuer, with one."""
        return replace(self, issuer=issuer, images_url=self.images_url or f"{issuer}/images")


def read(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings in an environment. Raises WrongSetting."""
    token_keys = _file_or_secret(environment, "ENGAWA_TOKEN_KEYS")
    secret_keys = _file_or_secret(environment, "ENGAWA_SECRET_KEYS")
    launch_keys = _file_or_secret(environment, "ENGAWA_LAUNCH_KEYS", needed=False)
    openid = _openid(environment)
    whole = _whole_numbers(environment)
    defaults = Limits()
    return Settings(
        stage=_text(environment, "ENGAWA_STAGE"),
        bucket=_text(environment, "ENGAWA_BUCKET"),
        issuer=_issuer(environment),
        token_keys_file=token_keys[0],
        token_keys_secret=token_keys[1],
        secret_keys_file=secret_keys[0],
        secret_keys_secret=secret_keys[1],
        limits=Limits(
            quota_bytes=whole("ENGAWA_QUOTA_BYTES", defaults.quota_bytes, 1, 100_000_000),
            keys=whole("ENGAWA_MAX_KEYS", defaults.keys, 1, 100_000),
            friends_bytes=whole("ENGAWA_FRIENDS_BYTES", defaults.friends_bytes, 1, 100_000_000),
            # The ledger stores the exact time of every write in the window, and has no space for more.
            writes=whole("ENGAWA_RATE_WRITES", defaults.writes, 1, 180),
            window_ms=whole("ENGAWA_RATE_SECONDS", defaults.window_ms // 1000, 1, 180) * 1000,
        ),
        name=_name(environment),
        about=_about(environment, ja="ENGAWA_ABOUT_JA", en="ENGAWA_ABOUT_EN"),
        strict_profiles=_one_of(environment, "ENGAWA_PROFILE_VISIBILITY", ("lenient", "strict")) == "strict",
        proxies=whole("ENGAWA_PROXIES", 0, 0, 5),
        proxy_keys=_proxy_keys(environment),
        utc_offset=_offset(environment, "ENGAWA_UTC_OFFSET", "+09:00"),
        favorite_shards=whole("ENGAWA_FAVORITE_SHARDS", 1, 1, 64),
        log_days=whole("ENGAWA_LOG_DAYS", 365, 1, 3_650),
        openid_issuer=openid[0],
        openid_jwks=openid[1],
        signed_urls=_base_urls(environment, "ENGAWA_SIGNED_URLS"),
        body_hash=_one_of(environment, "ENGAWA_BODY_HASH", ("optional", "required")) == "required",
        launch_keys_file=launch_keys[0],
        launch_keys_secret=launch_keys[1],
        cleaning_queue=cleaning_queue(environment),
        image_bounds=_image_bounds(environment),
        images_url=_images_url(environment),
        commit=_commit(environment),
        metrics=_one_of(environment, "ENGAWA_METRICS", ("0", "1")) == "1",
        fetch_loopback=_only_local(environment, "ENGAWA_FETCH_LOOPBACK"),
        sample=_only_local(environment, "ENGAWA_SAMPLE"),
    )


def _commit(environment: Mapping[str, str]) -> str:
    name = environment.get("ENGAWA_COMMIT") or UNKNOWN
    if not re.fullmatch(rf"{UNKNOWN}|[0-9a-f]{{12}}(-changed)?", name):
        raise WrongSetting(f"ENGAWA_COMMIT must be the first 12 digits of a commit, with -changed or not, not {name!r}")
    return name


def cleaning_queue(environment: Mapping[str, str] = os.environ) -> str:
    """Return the name of the queue, which Chalice needs before other settings are read. Raises WrongSetting."""
    name = environment.get("ENGAWA_CLEANING_QUEUE") or f"engawa-{environment.get('ENGAWA_STAGE') or 'local'}-cleaning"
    if not re.fullmatch("[A-Za-z0-9_-]{1,80}", name):
        raise WrongSetting(f"ENGAWA_CLEANING_QUEUE must be 1 to 80 of A-Z a-z 0-9 _ and -, not {name!r}")
    return name


def _file_or_secret(environment: Mapping[str, str], name: str, *, needed: bool = True) -> tuple[str | None, str | None]:
    """Return the source of keys: the path of a file, or the id of a secret; the other value is None.

    Raises WrongSetting if both are set, or if `needed` and neither is set.
    """
    file, secret = environment.get(f"{name}_FILE") or None, environment.get(f"{name}_SECRET") or None
    if (file and secret) or (needed and not (file or secret)):
        raise WrongSetting(f"Set one of {name}_FILE and {name}_SECRET")
    return file, secret


def _proxy_keys(environment: Mapping[str, str]) -> tuple[str, ...]:
    text = environment.get("ENGAWA_PROXY_KEY", "")
    keys = tuple(text.split(" ")) if text else ()
    if len(keys) > 2 or not all(re.fullmatch("[!-~]{16,256}", key) for key in keys):
        # The message omits the value, which is a secret.
        raise WrongSetting(
            "ENGAWA_PROXY_KEY must be 16 to 256 printable ASCII characters without spaces, or two such keys with a "
            "space between them"
        )
    return keys


def _openid(environment: Mapping[str, str]) -> tuple[str | None, str | None]:
    issuer, jwks = environment.get("ENGAWA_OPENID_ISSUER") or None, environment.get("ENGAWA_OPENID_JWKS") or None
    if bool(issuer) != bool(jwks):
        raise WrongSetting("Set both of ENGAWA_OPENID_ISSUER and ENGAWA_OPENID_JWKS, or none")
    if jwks and not jwks.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        raise WrongSetting(f"ENGAWA_OPENID_JWKS must be an https URL, not {jwks!r}")
    return issuer, jwks


def _image_bounds(environment: Mapping[str, str]) -> ImageBounds:
    whole, defaults = _whole_numbers(environment), ImageBounds()
    usual = ",".join(map(str, defaults.edges))
    text = environment.get("ENGAWA_IMAGE_EDGES", usual) or usual
    edges = tuple(int(each) if re.fullmatch("[0-9]{1,4}", each) else 0 for each in text.split(","))
    if len(edges) != 3 or not 1024 >= edges[0] >= edges[1] >= edges[2] >= 1:
        raise WrongSetting(f"ENGAWA_IMAGE_EDGES must be three whole numbers from 1024 down to 1, not {text!r}")
    return ImageBounds(
        bytes=whole("ENGAWA_IMAGE_BYTES", defaults.bytes, 1, 20_000_000),
        # Above this maximum, Pillow begins to warn.
        pixels=whole("ENGAWA_IMAGE_PIXELS", defaults.pixels, 1, 80_000_000),
        edges=edges,
        wide_edge=whole("ENGAWA_IMAGE_WIDE_EDGE", defaults.wide_edge, 320, 2_048),
    )


def _issuer(environment: Mapping[str, str]) -> str:
    """Return the issuer, or "" if API Gateway's own URL is to be used. Raises WrongSetting if that would be wrong."""
    is_proxied = environment.get("ENGAWA_PROXIES", "0") != "0" or environment.get("ENGAWA_PROXY_KEY")
    if environment.get("ENGAWA_ISSUER") or is_proxied or environment.get("ENGAWA_STAGE") == "local":
        return _base_url(environment, "ENGAWA_ISSUER")
    return ""


def _images_url(environment: Mapping[str, str]) -> str:
    if environment.get("ENGAWA_IMAGES_URL"):
        return _base_url(environment, "ENGAWA_IMAGES_URL")
    issuer = _issuer(environment)
    return f"{issuer}/images" if issuer else ""


def _only_local(environment: Mapping[str, str], name: str) -> bool:
    asked = _one_of(environment, name, ("0", "1")) == "1"
    if asked and environment.get("ENGAWA_STAGE") != "local":
        raise WrongSetting(f"{name} is for the stage local alone")
    return asked


def _name(environment: Mapping[str, str]) -> str:
    name = environment.get("ENGAWA_NAME", "").strip()
    if len(name) > 40 or not name.isprintable():
        raise WrongSetting(f"ENGAWA_NAME must be at most 40 printable characters, not {name!r}")
    return name


def _about(environment: Mapping[str, str], **names: str) -> dict[str, str]:
    """Return the texts of these settings by language, without empty ones; each line is a paragraph."""
    found = {}
    for language, name in names.items():
        lines = [line.strip() for line in environment.get(name, "").splitlines()]
        text = "\n".join(line for line in lines if line)
        if len(text) > 1_000 or not text.replace("\n", "").isprintable():
            raise WrongSetting(f"{name} must be at most 1,000 printable characters and line breaks")
        if text:
            found[language] = text
    return found


def _text(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise WrongSetting(f"{name} is not set")
    return value


def _one_of(environment: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """Return the setting's value, or the first of `allowed` if it is not set."""
    value = environment.get(name, allowed[0])
    if value not in allowed:
        raise WrongSetting(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return value


def _offset(environment: Mapping[str, str], name: str, default: str) -> int:
    """Return an offset from UTC in minutes; its text is like "+09:00"."""
    text = environment.get(name, default)
    read = re.fullmatch(r"([+-])(0\d|1[0-4]):([0-5]\d)", text)
    if not read:
        raise WrongSetting(f"{name} must be an offset from UTC like +09:00, not {text!r}")
    minutes = int(read[2]) * 60 + int(read[3])
    return minutes if read[1] == "+" else -minutes


def _base_url(environment: Mapping[str, str], name: str) -> str:
    return _checked_url(name, _text(environment, name))


def _base_urls(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    parts = [part.strip() for part in environment.get(name, "").split(",")]
    return tuple(_checked_url(name, part) for part in parts if part)


def _checked_url(name: str, value: str) -> str:
    if not value.startswith(("http://", "https://")) or value.endswith("/"):
        raise WrongSetting(f"{name} must be an http(s) URL without a slash at its end, not {value!r}")
    return value


def _whole_numbers(environment: Mapping[str, str]) -> Callable[[str, int, int, int], int]:
    def whole(name: str, default: int, least: int, most: int) -> int:
        text = environment.get(name, str(default))
        if not text.isdecimal() or not least <= int(text) <= most:
            raise WrongSetting(f"{name} must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return whole
