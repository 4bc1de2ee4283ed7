"""The commands, their options and help; what they do stands in the modules beside it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from adapters.cli import ask as asking
from adapters.cli.program import Program
from adapters.cli.streams import read_input, read_piped, take_any_text
from bot.errors import BotError
from bot.tags import with_tag

_EPILOG = (
    "Settings come from the environment and .env; .env.example names them all. "
    "./parley check, test, bench and lock are for those who work on Parley."
)
_PROMPT = (
    "The prompt. What is piped in comes along as a file; - reads the prompt itself from there."
)
_FILES = typer.Option("--file", help="A picture, text, code or PDF; again.")
_JSON = typer.Option("--json", help="One JSON object.")
_JSON_LIST = typer.Option("--json", help="A JSON list.")
_TABLES = "The folder with train/ and eval/; see docs/routing.md."


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
    _add_discussions(app, program)
    _add_listings(app, program)
    _add_training(app, program)
    _add_database(app, program)
    _add_keeping(app, program)
    _add_spend(app, program)
    _add_settings(app, program)
    return app


def _add_up(app: typer.Typer, program: Program) -> None:
    @app.command()
    def up(
        only: Annotated[
            list[str] | None, typer.Option(help="web, discord, slack, worker; several with commas.")
        ] = None,
    ) -> None:
        """Run everything that is configured, the web chat always; or only some of it."""
        _run(program.up(program.settings(), tuple(only or ())))


def _add_prompts(app: typer.Typer, program: Program) -> None:
    @app.command()
    def ask(
        text: Annotated[str, typer.Argument(help=_PROMPT)],
        tier: Annotated[str, typer.Option(help="free, cheap or full instead of the router.")] = "",
        model: Annotated[str, typer.Option(help="One model, by its alias.")] = "",
        files: Annotated[list[Path] | None, _FILES] = None,
        as_json: Annotated[bool, _JSON] = False,
    ) -> None:
        """Answer one prompt."""
        given, piped = _read_all(text)
        prompt = _tagged(given, tier, model)
        _run(asking.ask(program, prompt, tuple(files or ()), piped=piped, as_json=as_json))

    @app.command()
    def chat() -> None:
        """Talk in the terminal."""
        _run(asking.chat(program))


def _add_discussions(app: typer.Typer, program: Program) -> None:
    @app.command()
    def debate(
        question: Annotated[str, typer.Argument(help=_PROMPT)],
        models: Annotated[str, typer.Option(help="Two aliases: who answers, who objects.")] = "",
        rounds: Annotated[int, typer.Option(help="1 to 3: how often it is revised.")] = 1,
        files: Annotated[list[Path] | None, _FILES] = None,
        as_json: Annotated[bool, _JSON] = False,
    ) -> None:
        """One model answers, another objects, the first revises."""
        options = {"models": models, "rounds": rounds}
        _discuss(program, f"/debate {_options(options)}", question, files, as_json)

    @app.command()
    def ensemble(
        question: Annotated[str, typer.Argument(help=_PROMPT)],
        models: Annotated[str, typer.Option(help="Aliases with commas.")] = "",
        n: Annotated[int, typer.Option(help="2 to 6 voices, when no models are named.")] = 0,
        mode: Annotated[str, typer.Option(help="synthesis, show or vote.")] = "synthesis",
        files: Annotated[list[Path] | None, _FILES] = None,
        as_json: Annotated[bool, _JSON] = False,
    ) -> None:
        """Several models answer at once, and one answer is made of theirs."""
        options = {"models": models, "n": n, "mode": mode}
        _discuss(program, f"/ensemble {_options(options)}", question, files, as_json)


def _discuss(
    program: Program, command: str, question: str, files: list[Path] | None, as_json: bool
) -> None:
    given, piped = _read_all(question)
    line = f"{command} {given}"
    _run(asking.ask(program, line, tuple(files or ()), piped=piped, as_json=as_json))


def _options(options: Mapping[str, object]) -> str:
    """Options as they are written in a chat; a list of models without its spaces."""
    given = {name: "".join(str(value).split()) for name, value in options.items() if value}
    return " ".join(f"{name}:{value}" for name, value in given.items())


def _read_all(text: str) -> tuple[str, bytes]:
    """A prompt, and what is piped to it as material; `-` takes what is piped as the prompt."""
    return (read_input(), b"") if text == "-" else (text, read_piped())


def _read(text: str) -> str:
    return read_input() if text == "-" else text


def _add_listings(app: typer.Typer, program: Program) -> None:
    @app.command()
    def route(
        text: Annotated[str, typer.Argument(help="The prompt; - reads standard input.")] = "",
        jsonl: Annotated[str, typer.Option(help='Judge a file of {"prompt": …} lines.')] = "",
        dial: Annotated[int, typer.Option(min=0, max=10, help="With --jsonl: 0 to 10.")] = 5,
        as_json: Annotated[bool, _JSON] = False,
    ) -> None:
        """Say which model a prompt would go to, and why. Nothing is asked or spent."""
        from adapters.cli import listing

        if jsonl:
            from adapters.cli import routing

            _exit(routing.route_file(program.estimator(), jsonl, dial))
        _exit(listing.route(program, _read(text), as_json=as_json))

    @app.command()
    def models(
        as_json: Annotated[bool, _JSON_LIST] = False,
    ) -> None:
        """List the models, their prices, and what switches each of them on."""
        from adapters.cli import listing

        _exit(listing.models(program, as_json=as_json))

    @app.command()
    def prices(
        as_json: Annotated[bool, _JSON_LIST] = False,
    ) -> None:
        """Compare the catalogue's prices with LiteLLM's table, and say what differs."""
        from adapters.cli import pricing

        _exit(pricing.prices(program, as_json=as_json))

    @app.command()
    def doctor(
        as_json: Annotated[bool, _JSON_LIST] = False,
    ) -> None:
        """Check keys, models, database and clock, and say what to do for each fault."""
        from adapters.cli import doctor as checking

        _run(checking.doctor(program, as_json=as_json))


def _add_training(app: typer.Typer, program: Program) -> None:
    @app.command()
    def train(
        data: Annotated[Path | None, typer.Option(help=_TABLES)] = None,
        out: Annotated[Path | None, typer.Option(help="The model file to write.")] = None,
        seed: Annotated[int, typer.Option(help="The same seed, the same bytes.")] = 1,
        from_ledger: Annotated[
            bool, typer.Option("--from-ledger", help="Learn from 👍, 👎, Heavier, asking again.")
        ] = False,
        versions: Annotated[
            bool, typer.Option("--versions", help="What each workspace's router has learned.")
        ] = False,
        rollback: Annotated[
            bool, typer.Option("--rollback", help="Take the version in use back.")
        ] = False,
        workspace: Annotated[str, typer.Option(help="One, such as slack/T012AB.")] = "",
    ) -> None:
        """Train the router: on tables of known outcomes, or on what people here thought."""
        from adapters.cli import teaching

        if from_ledger + versions + rollback + (data is not None) != 1:
            raise typer.BadParameter(
                "say one of --data (with --out), --from-ledger, --versions, --rollback."
            )
        if from_ledger:
            _run(teaching.from_ledger(program, workspace))
        if versions:
            _run(teaching.versions(program, workspace))
        if rollback:
            _run(teaching.roll_back(program, workspace))
        if data is None or out is None:
            raise typer.BadParameter("--data needs --out, the model file to write.")
        from adapters.cli import routing

        _exit(routing.train(data, out, seed))

    @app.command(name="eval")
    def evaluate(
        data: Annotated[Path, typer.Option(help=_TABLES)],
        model: Annotated[Path | None, typer.Option(help="Another model file.")] = None,
        dial: Annotated[
            bool, typer.Option("--dial", help="What each step of the dial does.")
        ] = False,
        plot: Annotated[Path | None, typer.Option(help="With --dial: write a plot (SVG).")] = None,
        ablations: Annotated[
            bool, typer.Option("--ablations", help="What each part is worth; many minutes.")
        ] = False,
    ) -> None:
        """Measure the router beside others on benchmark tables."""
        from adapters.cli import routing

        _exit(routing.evaluate(data, model, with_dial=dial, plot=plot, with_ablations=ablations))


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

    @app.command()
    def migrate() -> None:
        """Bring the database's tables up to date; `up` does it, too, at its start."""
        from adapters.cli import migrating

        _run(migrating.migrate(program))


def _add_keeping(app: typer.Typer, program: Program) -> None:
    @app.command()
    def export(
        conversation: Annotated[str, typer.Argument(help="Its id; without one, a list.")] = "",
        form: Annotated[str, typer.Option("--format", help="md or json.")] = "md",
        path: Annotated[str, typer.Option("--to", help="A file instead of the screen.")] = "",
    ) -> None:
        """Write a conversation as Markdown or JSON, or list all."""
        from adapters.cli import keeping

        _run(keeping.export(program, conversation, form=form, path=path))

    @app.command()
    def forget(
        conversation: Annotated[str, typer.Argument(help="Its id.")] = "",
        user: Annotated[str, typer.Option(help="platform/workspace/user: all of theirs.")] = "",
    ) -> None:
        """Delete a conversation, or all that a person wrote. What was spent stays."""
        from adapters.cli import keeping

        _run(keeping.forget(program, conversation, user=user))


def _add_spend(app: typer.Typer, program: Program) -> None:
    @app.command()
    def spend(
        period: Annotated[str, typer.Argument(help="today, week, month, year or all.")] = "week",
        by: Annotated[str, typer.Option(help="model, tier, user, channel or feature.")] = "",
        workspace: Annotated[str, typer.Option(help="One, such as slack/T012AB.")] = "",
        picture: Annotated[str, typer.Option(help="A .svg or .png file to draw it to.")] = "",
        ledger: Annotated[
            str, typer.Option("--csv", help="A file for every call; - is here.")
        ] = "",
        as_json: Annotated[bool, _JSON] = False,
    ) -> None:
        """Say what was spent, on what, and what the routing saved."""
        from adapters.cli import spending

        wanted = spending.Wanted(
            period=period, by=by, workspace=workspace, picture=picture, ledger=ledger
        )
        _run(spending.spend(program, wanted, as_json=as_json))


def _add_settings(app: typer.Typer, program: Program) -> None:
    group = typer.Typer(help="Every place's settings as one file.", no_args_is_help=True)
    app.add_typer(group, name="settings")

    @group.command(name="export")
    def export(
        path: Annotated[str, typer.Argument(help="A file instead of the screen.")] = "",
    ) -> None:
        """Write the settings of every workspace, channel and thread."""
        from adapters.cli import keeping

        _run(keeping.export_settings(program, path))

    @group.command(name="import")
    def import_(
        path: Annotated[str, typer.Argument(help="The file; - reads standard input.")],
        whole: Annotated[bool, typer.Option(help="Take away what the file does not set.")] = False,
    ) -> None:
        """Set what a file says: all of it, or nothing when it has a fault."""
        from adapters.cli import keeping

        _run(keeping.import_settings(program, path, is_whole=whole))


def _tagged(prompt: str, tier: str, model: str) -> str:
    words = {"free": "fast", "full": "heavy"}
    if tier and tier not in ("free", "cheap", "full", "auto", "fast", "heavy"):
        raise typer.BadParameter(f"--tier takes free, cheap, full or auto, not {tier!r}.")
    tag = f"@model:{model}" if model else f"@{words.get(tier, tier)}" if tier else ""
    return with_tag(prompt, tag)


def _exit(code: int) -> NoReturn:
    raise typer.Exit(code)


def _run(command: Coroutine[None, None, int | None]) -> NoReturn:
    _exit(asyncio.run(command) or 0)


def run_app(program: Program) -> None:
    """Run the command line; a known fault is one sentence on standard error and exit code 1."""
    take_any_text()
    try:
        build_app(program)()
    except BotError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from error
    except KeyboardInterrupt:
        raise SystemExit(130) from None
