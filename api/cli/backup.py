"""`twinfall backup` and `twinfall restore`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from twinfall.api.cli import here
from twinfall.api.cli.output import AsJson, bar, console, print_json

if TYPE_CHECKING:
    from twinfall.api.settings import Settings


def backup(
    file: Annotated[Path, typer.Argument(help="The archive to write; it must not be there yet.")],
    as_json: AsJson = False,
) -> None:
    """Save data folder and graph as one archive, while a server runs or without one."""
    from twinfall.api.folder import owner_of

    settings = here.settings()
    owner = None if settings.url else owner_of(settings.dir)
    url = settings.url or (owner.url if owner else "")
    told = _downloaded(settings, url, file) if url else _written(settings, file)
    if as_json:
        print_json(told)
    else:
        console().print(f"{told['bytes']:,} bytes in {file}", markup=False, highlight=False)


def _downloaded(settings: Settings, url: str, file: Path) -> dict[str, Any]:
    from twinfall.api.client import Remote

    size = Remote(url, settings.api_key.reveal()).download("/backup", file)
    return {"file": str(file), "bytes": size}


def _written(settings: Settings, file: Path) -> dict[str, Any]:
    from twinfall.api.backup import write_backup
    from twinfall.api.backups import history_of
    from twinfall.api.folder import own
    from twinfall.api.services import Services
    from twinfall.ontology.errors import BadInput

    if not (settings.dir / "format").exists():
        raise BadInput("there is nothing here to save", code="NO_GRAPH", path=str(settings.dir))
    with own(settings.dir, "twinfall backup") as folder:
        services = Services(settings, folder.path, str(folder.owner))
        try:
            services.open()
            write_backup(
                folder.path,
                services.graph,
                file,
                embedded=settings.store == "sqlite",
                history=history_of(services),
            )
        finally:
            services.close()
    return {"file": str(file), "bytes": file.stat().st_size}


def restore(
    file: Annotated[Path, typer.Argument(help="An archive that `twinfall backup` wrote.")],
    as_json: AsJson = False,
    progress: Annotated[
        bool | None, typer.Option(help="A progress bar; by default on a terminal.")
    ] = None,
) -> None:
    """Restore an archive into an empty data folder, and its graph into an empty store: the one
    that the settings name, whichever it came from.
    """
    from twinfall.api.backup import move_graph
    from twinfall.api.backup import restore as unpack
    from twinfall.api.folder import own
    from twinfall.api.services import open_graph

    settings = here.settings()
    with (
        own(settings.dir, "twinfall restore") as folder,
        bar("Restoring", None, shown=progress) as shown,
    ):
        if settings.store == "sqlite":
            manifest, rows = unpack(file, folder.path), None
        else:
            graph = open_graph(settings, folder.path, str(folder.owner))
            try:
                from twinfall.graph.copying import check_empty

                check_empty(graph.store)
            finally:
                graph.store.close()
            for path in folder.path.glob("feed.sqlite*"):
                path.unlink()  # made by looking; an empty folder is wanted
            manifest = unpack(file, folder.path)
            graph = open_graph(settings, folder.path, str(folder.owner))
            try:
                rows = move_graph(folder.path, graph, lambda n: shown.show(0, f"{n} rows"))
            finally:
                graph.store.close()
    told = {"at": manifest["at"], "files": len(manifest["files"]), "rows": rows}
    if as_json:
        print_json(told)
    else:
        console().print(
            f"restored {told['files']} files as of {manifest['at']}", markup=False, highlight=False
        )
