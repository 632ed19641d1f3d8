"""The commands and their options."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from target_decisioning._version import __version__
from target_decisioning.cli.inputs import Unusable, artifact_bytes, moment_ms, request_of
from target_decisioning.cli.output import json_bytes, visible
from target_decisioning.cli.tree import trees
from target_decisioning.cli.unplugged import Unplugged
from target_decisioning.errors import TargetError
from target_decisioning.preparation import Call

WIDE: Final = 400
"""Columns of what does not go to a terminal: wide enough that no line is broken."""

NO_VALUE: Final = ""
"""What the help shows for the value of a switch, which takes none."""

app = typer.Typer(
    name="target-decisioning",
    help="Decide Adobe Target offers from a rules artifact, on this machine. Nothing is sent anywhere.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

ArtifactOption = Annotated[
    str, typer.Option("--artifact", "-a", metavar="FILE|URL", help="The rules artifact: JSON, or binary (.bin).")
]
RequestOption = Annotated[
    str,
    typer.Option(
        "--request", "-r", metavar="FILE|-", help="A Delivery API request, or JSON with one under 'request'; -: stdin."
    ),
]
ClientOption = Annotated[
    str | None,
    typer.Option(
        "--client", metavar="CODE", help="The client code: part of what allocation hashes. Default: the artifact's own."
    ),
]
OrganizationOption = Annotated[
    str | None,
    typer.Option("--organization", metavar="ORG", help="The IMS organization: the key to a binary artifact."),
]
SessionOption = Annotated[
    str | None, typer.Option("--session-id", metavar="ID", help="The session id. Default: a new one.")
]
NowOption = Annotated[
    str | None,
    typer.Option("--now", metavar="TIME", help="The moment to decide at: ISO 8601 or epoch ms, in UTC. Default: now."),
]
PropertyOption = Annotated[
    str | None, typer.Option("--property-token", metavar="TOKEN", help="The property of a request that names none.")
]
CompactOption = Annotated[bool, typer.Option("--compact", metavar=NO_VALUE, help="JSON on one line.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"target-decisioning {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", metavar=NO_VALUE, callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Hold the options of the command as a whole."""


@app.command()
def decide(
    artifact: ArtifactOption,
    request: RequestOption,
    client: ClientOption = None,
    organization: OrganizationOption = None,
    session_id: SessionOption = None,
    now: NowOption = None,
    property_token: PropertyOption = None,
    trace: Annotated[
        bool | None,
        typer.Option(
            "--trace/--no-trace", metavar=NO_VALUE, help="With traces, or without. Default: as the request asks."
        ),
    ] = None,
    compact: CompactOption = False,
) -> None:
    """Print the answer to a request as JSON."""
    now_ms = _moment(now)
    with _one_message():
        unplugged = _unplugged(artifact, client, organization, property_token)
        call = unplugged.prepare(_traced(request_of(request), trace), now_ms, session_id)
        _note(unplugged, call)
        typer.echo(json_bytes(unplugged.answer(call).to_wire(), is_compact=compact), nl=False)


@app.command()
def explain(
    artifact: ArtifactOption,
    request: RequestOption,
    client: ClientOption = None,
    organization: OrganizationOption = None,
    session_id: SessionOption = None,
    now: NowOption = None,
    property_token: PropertyOption = None,
    as_json: Annotated[bool, typer.Option("--json", metavar=NO_VALUE, help="JSON instead of a tree.")] = False,
    compact: CompactOption = False,
) -> None:
    """Show each rule of each asked location, in order, and why it answers or does not."""
    now_ms = _moment(now)
    with _one_message():
        unplugged = _unplugged(artifact, client, organization, property_token)
        call = unplugged.prepare(request_of(request), now_ms, session_id)
        _note(unplugged, call)
        explanation = unplugged.explain(call)
        if as_json or compact:
            typer.echo(json_bytes(explanation.to_wire(), is_compact=compact), nl=False)
            return
        console = Console(highlight=False, width=None if Console().is_terminal else WIDE)
        for part in trees(explanation):
            console.print(part)


def _moment(now: str | None) -> int:
    if now is None:
        return round(time.time() * 1000)
    try:
        return moment_ms(now)
    except (ValueError, OverflowError) as error:
        message = f"expected ISO 8601, such as 2024-03-04T12:30:00Z, or epoch milliseconds ({error})"
        raise typer.BadParameter(visible(message), param_hint="--now") from error


def _unplugged(artifact: str, client: str | None, organization: str | None, property_token: str | None) -> Unplugged:
    if artifact.lower().endswith(".bin") and not organization:
        raise typer.BadParameter("a binary artifact can be read only with it", param_hint="--organization")
    unplugged = Unplugged(
        artifact_bytes(artifact),
        artifact,
        client=client,
        organization=organization,
        property_token=property_token,
    )
    if not unplugged.program.client_code:
        raise typer.BadParameter("needed, because the artifact's meta.clientCode does not tell", param_hint="--client")
    return unplugged


def _traced(request: dict[str, Any], wanted: bool | None) -> dict[str, Any]:
    if wanted is None:
        return request
    untraced = {key: value for key, value in request.items() if key != "trace"}
    return {**untraced, "trace": request.get("trace") or {}} if wanted else untraced


def _note(unplugged: Unplugged, call: Call) -> None:
    for note in unplugged.notes(call):
        typer.echo(f"note: {visible(note)}", err=True)


@contextmanager
def _one_message() -> Iterator[None]:
    """Turn what cannot be used into one message on stderr and exit code 1."""
    try:
        yield
    except (Unusable, TargetError) as error:
        message = "\n".join(map(visible, str(error).split("\n")))
        typer.echo(f"error: {message}", err=True)
        raise typer.Exit(1) from error
