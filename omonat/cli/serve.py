"""`omonat serve` runs an installation; `omonat demo` runs one with made-up people on this machine only."""

import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

import omonat
from omonat.base import logs
from omonat.base.codes import advice, sentence
from omonat.base.listening import port_of, take_port
from omonat.base.settings import Settings, demo_details, demo_home, load
from omonat.cli._parent import Parent
from omonat.cli._speech import spoken, tell, words
from omonat.database.binaries import make_passable

CLONE = Path(omonat.__file__).resolve().parent.parent
SEEDING = ("set-up", "people")
"""What `examples.demo` does when requests are answered, one child after the other: set up and write build/demo.json,
after which the demo is ready; then fill in the made-up people as an ordinary client of the API."""
MAILBOX = "webmaster@beshqozon.uz"
DEMO_SERVER = "demo"
"""Under this name a letter to the demo may claim that its sender is proved: there is no mail server in front."""

Home = Annotated[Path | None, typer.Option(help="The folder for everything durable [OMONAT_HOME].")]
Port = Annotated[int | None, typer.Option(help="The port to answer on [OMONAT_PORT].")]
Workers = Annotated[int | None, typer.Option(help="How many processes answer requests [OMONAT_WORKERS].")]


def register(root: typer.Typer) -> None:
    """Add `serve` and `demo` to the top of the command line."""
    root.command()(serve)
    root.command()(demo)


def serve(home: Home = None, port: Port = None, workers: Workers = None) -> None:
    """Run this installation until Ctrl-C or SIGTERM. Settings come from OMONAT_* and settings.toml."""
    settings = load(os.environ, home=home, port=port, workers=workers)
    logs.configure(level=settings.log_level, form=settings.log_format)
    _run(Parent(settings, tell=tell, on_ready=lambda: _ready(settings)))


def demo(home: Home = None, port: Port = None) -> None:
    """Run the demo: BESHQOZON's policy, its site, thousands of made-up people. Never put real data into it."""
    chosen = home or os.environ.get("OMONAT_HOME") or demo_home(CLONE)
    settings = load(os.environ, home=chosen, port=port, demo=True, log_format="human")
    held = [take_port(settings.host, settings.port), take_port("127.0.0.1", 8625), take_port("127.0.0.1", 8424)]
    free, catching, reading = (port_of(one) for one in held)
    if free != settings.port:
        tell("port %(port)s is in use; the demo takes %(free)s", port=settings.port, free=free)
    origin = None if settings.origin else f"http://localhost:{free}"
    root_key = None if settings.root_key else f"key-file:{_demo_root(settings.home)}"
    level = settings.log_level if "OMONAT_LOG_LEVEL" in os.environ else "warning"
    settings = load(
        os.environ,
        **{"home": chosen, "port": free, "workers": 1, "demo": True, "log_format": "human"},  # one holds the letters
        **{"origin": origin, "root_key": root_key, "log_level": level},
        **_catcher(settings.host, free, catching, reading),
    )
    logs.configure(level=settings.log_level, form=settings.log_format)
    began = time.monotonic()
    os.environ["NO_PROXY"] = ",".join(filter(None, (os.environ.get("NO_PROXY"), "localhost,127.0.0.1,::1")))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(CLONE), os.environ.get("PYTHONPATH"))))
    sys.path.append(str(CLONE))  # for the workers, which begin with what this process has
    seeding = [[sys.executable, "-m", "examples.demo", part] for part in SEEDING]
    ready = partial(_welcome, settings, began)
    _run(Parent(settings, tell=tell, on_ready=ready, after_start=seeding, held=held))


def _catcher(host: str, port: int, catching: int, reading: int) -> dict[str, Any]:
    """Where messages go in the demo: to its own catcher, on this machine alone."""
    smtp = {"smtp_host": "127.0.0.1", "smtp_port": catching, "smtp_security": "none"}
    mailbox = {"mail_in": f"127.0.0.1:{reading}", "mail_in_server": DEMO_SERVER}
    gateway = host if host in ("127.0.0.1", "::1") else "127.0.0.1"
    gateway = f"[{gateway}]" if ":" in gateway else gateway
    return {**smtp, **mailbox, "smtp_from": MAILBOX, "sms_gateway": f"http://{gateway}:{port}/catcher/sms"}


def _ready(settings: Settings) -> None:
    typer.echo(words("omonat answers at %(address)s", address=settings.address), err=True)
    if settings.smtp_host is not None and not settings.dkim_keys:
        typer.echo("  " + words("letters go unsigned: set dkim-keys (omonat mail dkim says how)"), err=True)
    if settings.root_key is None:
        language = spoken()
        typer.echo(f"  {sentence('sealed', language, {})}\n  {advice('sealed', language, {})}", err=True)


def _run(parent: Parent) -> None:
    raise typer.Exit(parent.run())


def _demo_root(home: Path) -> Path:
    """The demo's own root key, made once. Beside its data, where a real one must never lie."""
    path = home / "demo-root.key"
    if os.geteuid() == 0:
        make_passable(home.parent)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not path.exists():
        partial = path.with_suffix(".new")
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(32))
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
    return path


def _welcome(settings: Settings, began: float) -> None:
    base = settings.address
    lines = (
        (words("the shop"), f"{base}/", words("order something, subscribe, ask a question")),
        (words("its policy"), f"{base}/page/privacy-policy", words("what people read, made from the same file")),
        (words("Privacy Center"), f"{base}/me", words("what is held about you, why, until when, who looked")),
        (words("Desk"), f"{base}/desk", words("staff, with their cases and nothing more")),
        (
            words("the mailbox"),
            f"{settings.mail_in} (SMTP)",
            words("write to %(mailbox)s: unsubscribe, complain, ask", mailbox=MAILBOX),
        ),
        (words("messages"), f"{base}/catcher", words("every e-mail and SMS of the demo; none leaves this machine")),
        ("API", f"{base}/v1", words("for the company's own systems")),
    )
    took = f"{time.monotonic() - began:.1f}"
    typer.echo("\n" + words("Omonat's demo is ready after %(seconds)s s. All people in it are made up.", seconds=took))
    typer.echo()
    width = max(len(name) for name, _, _ in lines)
    for name, url, what in lines:
        typer.echo(f"  {name:<{width}} {url:<45} {what}")
    details = demo_details(settings.home, CLONE)
    if details.exists():
        shown = details.relative_to(CLONE) if details.is_relative_to(CLONE) else details
        typer.echo("\n  " + words("Sign-ins, API clients and a few people: %(file)s", file=shown))
    typer.echo("  " + words("Ctrl-C stops; the same command starts again with the same data.") + "\n")
