"""`omonat witness …`: cosign other logs' checkpoints. A program of its own, best on another machine, in other hands."""

import os
import time
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from omonat.base import logs
from omonat.base.instants import SECOND, Instant, to_rfc3339
from omonat.cli._ground import listen
from omonat.cli._speech import ngettext, words
from omonat.witness.door import application
from omonat.witness.memory import Memory, origin_hash

app = typer.Typer(help="A witness: cosigns what it has seen grow, so that no log can show two histories.")

Folder = Annotated[Path, typer.Option("--folder", help="The witness's own folder: its key and what it has seen.")]


@app.command()
def init(
    name: Annotated[str, typer.Argument(help="Its name for ever, like witness.example/w1")], folder: Folder
) -> None:
    """Make a key and print the public half, which logs and readers pin."""
    os.umask(0o077)
    typer.echo(Memory.create(folder, name).signer.verifier.vkey)


@app.command()
def trust(vkey: Annotated[str, typer.Argument(help="The log's public key")], folder: Folder) -> None:
    """Watch a log from now on. Its first checkpoint is believed; from then on, only what extends it."""
    os.umask(0o077)
    origin = Memory(folder).trust(vkey)
    path = f"/{origin_hash(origin)}/checkpoint"
    typer.echo(words("watching %(origin)s, which others find at %(path)s", origin=origin, path=path))


@app.command()
def show(folder: Folder) -> None:
    """Print the witness's key and what it has seen of each log."""
    memory = Memory(folder)
    typer.echo(words("key %(key)s", key=memory.signer.verifier.vkey))
    for origin, kept in memory.watched():
        entries = ngettext("%(num)s entry", "%(num)s entries", kept.seen.size)
        at = to_rfc3339(Instant(kept.seconds * SECOND)) if kept.seconds else None
        typer.echo(f"{origin}: {entries}, {words('cosigned %(at)s', at=at) if at else words('never cosigned')}")
        for kind, called in (("forks", words("forks")), ("unproved", words("unproved"))):
            if pairs := list((folder / origin_hash(origin) / kind).glob("*.shown")):
                kept_in = words("%(num)s kept in %(folder)s", num=len(pairs), folder=pairs[0].parent)
                typer.echo(f"  {called}: {kept_in}")


@app.command()
def serve(
    folder: Folder,
    host: Annotated[str, typer.Option(help="Put a TLS proxy in front.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to answer on.")] = 8700,
) -> None:
    """Answer logs until Ctrl-C or SIGTERM. May be killed at any moment."""
    os.umask(0o077)
    logs.configure()
    memory = Memory(folder)
    sockets = listen(host, port, 1)
    answers = words("%(name)s answers at %(address)s", name=memory.signer.name, address=f"http://{host}:{port}")
    typer.echo(answers, err=True)
    config = uvicorn.Config(
        application(memory, lambda: Instant(time.time_ns() // 1000)),
        loop="uvloop", http="httptools", ws="none", lifespan="off", log_config=None, access_log=False,
        server_header=False, timeout_keep_alive=60, timeout_graceful_shutdown=3,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=sockets)
