"""The command `twinfall`. Each command imports what it needs when it runs, so help is fast."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from twinfall.api.cli import (
    asking,
    backup,
    criticality,
    demo,
    detectors,
    diagnosis,
    keys,
    letters,
    models,
    powerflow,
    readings,
    register,
    requirements,
    rootcauses,
    scenarios,
    serving,
    transfer,
    whatif,
)
from twinfall.api.cli.output import report

app = typer.Typer(
    name="twinfall",
    help="A digital-twin graph service that computes what fails next.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    add_completion=True,
)
app.command()(demo.demo)
app.command()(register.init)
app.command()(serving.serve)
app.add_typer(models.app, name="model")
app.command("import")(transfer.import_)
app.command()(transfer.export)
app.command()(readings.replay)
app.add_typer(letters.app, name="deadletters")
app.command()(backup.backup)
app.command()(backup.restore)
app.command()(asking.query)
app.command()(asking.impact)
app.command("whatif")(whatif.what_if)
app.add_typer(scenarios.app, name="scenario")
app.command()(criticality.criticality)
app.command()(criticality.spof)
app.command("rootcause")(rootcauses.root_cause)
app.command("assert")(requirements.assert_)
app.command()(powerflow.powerflow)
app.add_typer(detectors.app, name="detector")
app.add_typer(keys.app, name="key")
app.command()(diagnosis.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        from twinfall import __version__

        typer.echo(f"twinfall {__version__}")
        raise typer.Exit


@app.callback()
def _twinfall(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version)
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> None:
    """Run the command line. Exit status: 0 done, 1 input or requirement bad, 2 wrong usage,
    3 a service or store is unavailable.
    """
    try:
        app()
    except BrokenPipeError:
        # Whoever read our output has seen enough, as in `twinfall export | head`.
        sys.stderr.close()
        raise SystemExit(0) from None
    except Exception as error:
        # The edge: no user ever sees a traceback.
        raise SystemExit(report(error, as_json="--json" in sys.argv)) from None
