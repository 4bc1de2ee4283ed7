"""The commands, their options and help; what they do stands in the modules beside it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from typing import Annotated

import typer

from adapters.cli import ask as asking
from adapters.cli.program import Program
from bot.errors import BotError

_EPILOG = (
    "Settings come from the environment and .env; .env.example names them all. "
    "./parley check, test and lock are for those who work on Parley."
)


def build_app(program: Program) -> typer.Typer:
    """The command line, on top of `program`."""
    app = typer.Typer(
        name="parley",
        help="One bot for every language model: each prompt goes to the cheapest able to answer.",
        epilog=_EPILOG,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    _add_up(app, program)
    _add_prompts(app, program)
    _add_listings(app, program)
    _add_database(app, program)
    return app


def _add_up(app: typer.Typer, program: Program) -> None:
    @app.command()
    def up() -> None:
        """Run everything that is configured; the web chat always."""
        _run(_up(program))


def _add_prompts(app: typer.Typer, program: Program) -> None:
    @app.command()
    def ask(
        text: Annotated[str, typer.Argument(help="The prompt; - reads it from standard input.")],
        tier: Annotated[str, typer.Option(help="free, cheap or full instead of the router.")] = "",
        model: Annotated[str, typer.Option(help="One model, by its alias.")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    ) -> None:
        """Answer one prompt."""
        prompt = sys.stdin.read() if text == "-" else text
        _run(asking.ask(program, _tagged(prompt, tier, model), as_json=as_json))

    @app.command()
    def chat() -> None:
        """Talk in the terminal."""
        _run(asking.chat(program))


def _add_listings(app: typer.Typer, program: Program) -> None:
    @app.command()
    def route(
        text: Annotated[str, typer.Argument(help="The prompt; - reads standard input.")] = "",
        as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    ) -> None:
        """Say which model a prompt would go to, and why. Nothing is asked or spent."""
        from adapters.cli import listing

        _exit(listing.route(program, sys.stdin.read() if text == "-" else text, as_json=as_json))

    @app.command()
    def models(
        as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    ) -> None:
        """List the models, their prices, and what switches each of them on."""
        from adapters.cli import listing

        _exit(listing.models(program, as_json=as_json))

    @app.command()
    def doctor(
        as_json: Annotated[bool, typer.Option("--json", help="A JSON list.")] = False,
    ) -> None:
        """Check keys, models, database and clock, and say what to do for each fault."""
        from adapters.cli import doctor as checking

        _run(checking.doctor(program, as_json=as_json))


def _add_database(app: typer.Typer, program: Program) -> None:
    @app.command(name="move-database")
    def move_database(
        target: Annotated[
            str, typer.Argument(help="Where to; by default DATABASE_URL.", show_default=False)
        ] = "",
        source: Annotated[
            str, typer.Option("--from", help="By default the file in the data folder.")
        ] = "",
    ) -> None:
        """Copy everything into an empty database, such as PostgreSQL, while Parley is stopped."""
        from adapters.cli import moving

        _run(moving.move_database(program, target, source))


def _tagged(prompt: str, tier: str, model: str) -> str:
    words = {"free": "fast", "full": "heavy"}
    if tier and tier not in ("free", "cheap", "full", "auto", "fast", "heavy"):
        raise typer.BadParameter(f"--tier takes free, cheap, full or auto, not {tier!r}.")
    tag = f"@model:{model} " if model else f"@{words.get(tier, tier)} " if tier else ""
    return tag + prompt


def _exit(code: int) -> None:
    raise typer.Exit(code)


def _run(command: Coroutine[None, None, int | None]) -> None:
    _exit(asyncio.run(command) or 0)


async def _up(program: Program) -> int:
    await program.up(program.settings())
    return 0


def run_app(program: Program) -> None:
    """Run the command line; a known fault is one sentence on standard error and exit code 1."""
    try:
        build_app(program)()
    except BotError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
