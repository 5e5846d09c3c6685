"""Settings: one struct, read from `OMONAT_*` and a TOML file, the environment winning.

Whatever is wrong is said with the name of the setting, where it stands and what to write instead; never with its
value, which may be a secret. Secrets themselves are not settings: a setting names the file that holds one.
"""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from omonat.base.errors import BadInput
from omonat.base.failpoints import require_mark

PREFIX: Final = "OMONAT_"
FILE: Final = "settings.toml"

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Count = Annotated[int, msgspec.Meta(ge=1, le=128)]


class RootSource(msgspec.Struct, frozen=True):
    """Where the root key comes from: a file with a passphrase, a systemd credential, or a file with a raw key."""

    kind: Literal["passphrase-file", "credential", "key-file"]
    path: Path


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything an operator can choose. Each field is `OMONAT_<NAME>` and `<name>` in settings.toml."""

    home: Path
    """The folder for everything durable that is ours: database, keys, log."""
    database: str | None = None
    """A PostgreSQL address; absent: the embedded server in `home`."""
    postgres: Path | None = None
    """The folder with PostgreSQL's programs for the embedded server; absent: the wheel's, else the system's."""
    archive_days: Annotated[int, msgspec.Meta(ge=0, le=36_500)] | None = None
    """For a server that archives its write-ahead log: for how many days what is archived is kept."""
    reserve: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 64
    """Mebibytes kept back on the disk of `home`, so that people can withdraw and be erased when it is full; 0: none."""
    pool: Count = 8
    """Database connections per worker."""

    host: str = "127.0.0.1"
    port: Port = 8600
    origin: str = ""
    """The address people type, `https://privacy.example.uz`; `http://localhost:<port>` when absent."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses whose forwarding headers are believed; all others' are ignored."""
    workers: Count = 2

    root_key: RootSource | None = None
    """`passphrase-file:/path`, `credential:name` (systemd) or `key-file:/path`; absent or `shares`: starts sealed."""
    key_copies: tuple[Path, ...] = ()
    """Folders, best on another disk, that keep a copy of the keys each, in the order they were registered."""

    journal_copies: tuple[Path, ...] = ()
    """Folders in other places that get the control journal and the log, seconds behind."""
    backups: Path | None = None
    """The folder backups go to, and where a drill takes the newest from."""
    backup_recipients: str | None = None
    """age public keys, separated by commas, that data, log and journal are sealed to; absent: as they are."""
    backup_keys_recipients: str | None = None
    """The same for the keys: other ones, so that nobody opens both alone."""

    offline_days: Annotated[int, msgspec.Meta(ge=1, le=31)] = 7
    """For how many days a form sealed without a network may be on its way."""

    visit_link_days: Annotated[int, msgspec.Meta(ge=1, le=90)] = 30
    """For how many days the link on a bill shows what was recorded about the visit."""

    smtp_host: str | None = None
    smtp_port: Port = 587
    smtp_security: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str | None = None
    smtp_password_file: Path | None = None
    smtp_from: str | None = None
    dkim_keys: tuple[str, ...] = ()
    """What letters are signed with: `selector=/path` each, PEM files; absent: they go unsigned."""
    mail_in: str | None = None
    """Where the mailbox listens for letters, SMTP and LMTP, on this machine: `127.0.0.1:8024`; absent: nowhere."""
    mail_in_server: str | None = None
    """The name the mail server in front writes its Authentication-Results under; absent: no sender counts as proved."""
    sms_gateway: str | None = None
    """The address of the SMS gateway."""
    sms_token_file: Path | None = None

    witnesses: tuple[str, ...] = ()
    """Who cosigns the evidence log: `name+id+key https://address` each, a public key and where to ask."""
    witness_quorum: Annotated[int, msgspec.Meta(ge=1, le=32)] | None = None
    """How many of them make a checkpoint a witnessed one; absent: all."""
    systems: tuple[str, ...] = ()
    """Where the policy's other systems are told of erasures: `till=https://till.example.uz/erasures`."""
    parent_payments: str | None = None
    """Where parents pay, to be known as parents: the provider's key, page, and soʻm: `whpk_… https://… 1000`."""
    failpoints: Path | None = None
    """Tests only: the file that says where the processes are to fail (`base.failpoints`)."""
    test_clock: Path | None = None
    """Tests only: a file with eight bytes, how far this installation's clock is off, in microseconds."""

    demo: bool = False
    """Made-up people, the company's demo site and the message catcher; never with real data."""
    demo_people: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] = 3_000
    """How many people are made up for the demo."""
    language: Literal["uz", "ru", "en"] = "en"
    """The language of the command line."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "human"] = "json"

    @property
    def address(self) -> str:
        """The origin, made up from the port when none is set; without a slash at the end."""
        return self.origin or f"http://localhost:{self.port}"

    @property
    def mail_in_address(self) -> tuple[str, int] | None:
        """Host and port of the mailbox; None where there is none, and for what isn't on this machine."""
        host, _, port = (self.mail_in or "").rpartition(":")
        host = host.strip("[]")
        if host not in ("127.0.0.1", "::1") or not port.isdecimal() or not 0 < int(port) < 65_536:
            return None
        return host, int(port)

    @property
    def keys(self) -> Path:
        """The folder of the key slots."""
        return self.home / "keys"

    @property
    def log(self) -> Path:
        """The folder of the evidence log."""
        return self.home / "log"

    @property
    def slot_copies(self) -> tuple[Path, ...]:
        """The slot files in `key_copies`."""
        return tuple(folder / "slots" for folder in self.key_copies)

    @property
    def secrets(self) -> tuple[Path, ...]:
        """Every file and folder outside the home that holds a secret: nobody else may read them.

        A credential is not among them: systemd lets the service's account in by an access list, and then the bits of
        its group say what the list allows, not that a group may read it.
        """
        root = self.root_key.path if self.root_key and self.root_key.kind != "credential" else None
        dkim = (Path(one.partition("=")[2]).expanduser() for one in self.dkim_keys)
        named = (root, self.smtp_password_file, self.sms_token_file, *dkim, *self.key_copies)
        return tuple(path for path in named if path is not None)

    def environment(self) -> dict[str, str]:
        """The settings as `OMONAT_*`, for child processes that are to read exactly these."""
        written = {}
        for field in msgspec.structs.fields(self):
            value = getattr(self, field.name)
            if value is not None and value != ():
                written[PREFIX + field.name.upper()] = _written(value)
        return written


def load(environment: Mapping[str, str], **given: Any) -> Settings:
    """The settings of this process: `given` (command line) over `OMONAT_*` over settings.toml over the defaults.

    The file is `OMONAT_SETTINGS`, else `settings.toml` in the home. Raises BadInput with `setting-unknown`,
    `setting-invalid`, `settings-file-invalid`, `settings-clash` or `for-tests-only`.
    """
    from_environment = _own(environment)
    explicit = from_environment.pop("settings", None)
    home = Path(given.get("home") or from_environment.get("home") or default_home(environment)).expanduser()
    file = Path(explicit) if explicit else home / FILE
    chosen: dict[str, tuple[str, Any]] = {"home": ("command line", home)}
    for where, values in (
        (str(file), _from_file(file, required=explicit is not None)),
        ("environment", from_environment),
        ("command line", {name: value for name, value in given.items() if value is not None}),
    ):
        for name, value in values.items():
            chosen[_known(name, where)] = (where, value)
    fields = {field.name: field for field in msgspec.structs.fields(Settings)}
    values = {
        name: _convert(name, fields[name].type, value, where, environment) for name, (where, value) in chosen.items()
    }
    values["home"] = Path(os.path.abspath(values["home"]))  # noqa: PTH100 — links stay as the operator wrote them
    settings = Settings(**values)
    _consistent(settings)
    return settings


def default_home(environment: Mapping[str, str]) -> Path:
    """Where data goes when nobody says: the system's place for root, the user's own otherwise."""
    if os.geteuid() == 0:
        return Path("/var/lib/omonat/home")
    data = environment.get("XDG_DATA_HOME") or str(Path(environment.get("HOME", "~")).expanduser() / ".local/share")
    return Path(data) / "omonat"


def demo_home(clone: Path) -> Path:
    """Where the demo of one clone keeps its data; outside the clone as root, whose folders others cannot enter."""
    if os.geteuid() == 0:
        return Path("/var/lib/omonat") / f"demo-{sha256(os.fsencode(clone.resolve())).hexdigest()[:12]}"
    return clone / "build" / "demo"


def demo_details(home: Path, clone: Path) -> Path:
    """Where the demo says for scripts who may sign in: `build/demo.json`, or in its home when that was chosen."""
    return clone / "build" / "demo.json" if home == demo_home(clone) else home / "demo.json"


def _own(environment: Mapping[str, str]) -> dict[str, Any]:
    return {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and value != ""
    }


def _from_file(file: Path, *, required: bool) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        if required:
            raise BadInput("settings-file-invalid", file=str(file), problem="there is no such file") from None
        return {}
    except OSError as error:
        raise BadInput("settings-file-invalid", file=str(file), problem=error.strerror or "unreadable") from None
    except UnicodeDecodeError:
        raise BadInput("settings-file-invalid", file=str(file), problem="not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        problem = str(error) if "(at" in str(error) else "not TOML"
        raise BadInput("settings-file-invalid", file=str(file), problem=problem) from None
    return {name.replace("-", "_"): value for name, value in table.items()}


def _known(name: str, where: str) -> str:
    names = [field.name for field in msgspec.structs.fields(Settings)]
    if name in names:
        return name
    near = get_close_matches(name, names, n=1, cutoff=0.5)
    shown = _shown(name, where)
    raise BadInput("setting-unknown", name=shown, where=where, nearest=_shown(near[0] if near else "home", where))


def _shown(name: str, where: str) -> str:
    return PREFIX + name.upper() if where == "environment" else name.replace("_", "-")


def _convert(name: str, kind: Any, value: Any, where: str, environment: Mapping[str, str]) -> Any:
    if name == "root_key":
        return _root_key(value, where, environment)
    if isinstance(value, str) and name in _LISTS:
        value = [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, str) and kind is bool:
        value = {"yes": "true", "no": "false", "on": "true", "off": "false"}.get(value.lower(), value)
    try:
        return msgspec.convert(value, kind, strict=False, dec_hook=_decode)
    except (msgspec.ValidationError, TypeError, ValueError):
        raise _invalid(name, where, _EXPECTED.get(name) or _expectation(kind)) from None


_LISTS: Final = frozenset({"trusted_proxies", "key_copies", "journal_copies", "witnesses", "systems", "dkim_keys"})
_EXPECTED: Final = {
    "port": "a number from 1 to 65535",
    "smtp_port": "a number from 1 to 65535",
    "workers": "a number from 1 to 128",
    "pool": "a number from 1 to 128",
    "archive_days": "a number of days, 0 or more",
    "offline_days": "a number from 1 to 31",
    "visit_link_days": "a number from 1 to 90",
    "demo_people": "a number from 0 to 1000000",
    "demo": "yes or no",
    "smtp_security": "starttls, tls or none",
    "log_level": "debug, info, warning or error",
    "log_format": "json or human",
    "language": "uz, ru or en",
    "key_copies": "folders, separated by commas",
    "journal_copies": "folders, separated by commas",
    "trusted_proxies": "addresses, separated by commas",
    "witnesses": "public key and https address each, separated by commas",
    "witness_quorum": "a number from 1 to 32",
    "dkim_keys": "selector=/path, separated by commas",
    "systems": "system=https://address, separated by commas",
}


def _expectation(kind: Any) -> str:
    return "a path" if "Path" in str(kind) else "a text"


def _decode(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str) and value:
        return Path(value).expanduser()
    if kind is Path and isinstance(value, Path):
        return value
    raise TypeError


def _root_key(value: Any, where: str, environment: Mapping[str, str]) -> RootSource | None:
    if value == "shares":
        return None
    kind, _, rest = value.partition(":") if isinstance(value, str) else ("", "", "")
    match kind:
        case "passphrase-file" | "key-file" if rest.startswith(("/", "~")):
            return RootSource(kind, Path(rest).expanduser())
        case "credential" if rest.startswith("/"):  # as written by `environment()` for our own children
            return RootSource(kind, Path(rest))
        case "credential" if rest:
            folder = environment.get("CREDENTIALS_DIRECTORY")
            if not folder or "/" in rest:
                expected = "the name of a credential that systemd hands over (LoadCredential=)"
                raise _invalid("root_key", where, expected)
            return RootSource(kind, Path(folder) / rest)
    raise _invalid("root_key", where, "passphrase-file:/path, credential:name, key-file:/path or shares")


def _invalid(name: str, where: str, expected: str) -> BadInput:
    return BadInput("setting-invalid", name=_shown(name, where), where=where, expected=expected)


def _consistent(settings: Settings) -> None:
    origin = urlsplit(settings.address)
    local = origin.hostname in ("localhost", "127.0.0.1", "::1")
    if origin.scheme not in ("http", "https") or not origin.hostname or origin.path or origin.query:
        raise _invalid("origin", "environment", "https://name, without a path or a slash at the end")
    if origin.scheme == "http" and not local:
        raise _invalid("origin", "environment", "https:// (plain http only for localhost)")
    if settings.database is not None and not settings.database.startswith(("postgresql://", "postgres://")):
        raise _invalid("database", "environment", "postgresql://user@host/name?sslmode=verify-full")
    if settings.smtp_host and not settings.smtp_from:
        raise BadInput("settings-clash", first="smtp-host", second="smtp-from")
    if settings.smtp_user and not settings.smtp_password_file:
        raise BadInput("settings-clash", first="smtp-user", second="smtp-password-file")
    if settings.mail_in is not None and settings.mail_in_address is None:
        raise _invalid("mail_in", "environment", "an address of this machine and a port, 127.0.0.1:8024")
    if not all(0 < one.find("=") < len(one) - 1 for one in settings.dkim_keys):
        raise _invalid("dkim_keys", "environment", _EXPECTED["dkim_keys"])
    if any(copy == settings.home or settings.home in copy.parents for copy in settings.journal_copies):
        raise _invalid("journal_copies", "environment", "folders outside the home")
    if settings.key_copies and settings.keys in settings.key_copies:
        raise _invalid("key_copies", "environment", "folders other than the home's own keys")
    for name in ("failpoints", "test_clock"):
        if getattr(settings, name) is not None:
            require_mark(settings.home, name)


def _written(value: Any) -> str:
    match value:
        case RootSource():
            return f"{value.kind}:{value.path}"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ",".join(map(str, value))
        case _:
            return str(value)
