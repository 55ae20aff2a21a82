"""A notebook executed in place, cell by cell, its output saved."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import NoSuchKernel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from sagehound.cli.console import duration, progress, say
from sagehound.errors import InvalidInput


def execute(path: Path) -> None:
    """Run every cell of the notebook and save it, outputs included, also those until a cell that fails.

    InvalidInput for a file that is no notebook, or whose kernel is missing, or with the
    traceback of a cell that fails.
    """
    try:
        notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except Exception as error:  # noqa: BLE001  nbformat raises whatever its JSON reader and validator raise.
        raise InvalidInput(f"{path} cannot be read as a notebook: {error}") from None
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    folder = str(path.parent.absolute())
    client = NotebookClient(notebook, timeout=None, resources={"metadata": {"path": folder}})
    # Every run of the kernel warns of its own default, TCP without encryption, which here is loopback.
    client.extra_arguments = ["--IPKernelApp.log_level=ERROR"]
    _report_to(client, cells)
    began = time.monotonic()
    try:
        client.execute()
    except CellExecutionError as error:
        raise InvalidInput(f"{error}\n{path} holds the output until there; mend the cell and run it again") from None
    except NoSuchKernel as error:
        raise InvalidInput(f"{error}; install it: pip install ipykernel") from None
    except DeadKernelError as error:
        raise InvalidInput(f"{error}; the notebook's process ended, perhaps for want of memory") from None
    finally:
        nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    progress(f"{path}: {cells} cells in {duration(time.monotonic() - began)}, saved with their output")


def _report_to(client: NotebookClient, cells: int) -> None:
    """Say each cell's begin and time on stderr, and what it prints on stdout."""
    begun: dict[int, float] = {}

    def on_start(cell: Any, cell_index: int, **_: Any) -> None:  # noqa: ANN401
        if cell.cell_type == "code":
            begun[cell_index] = time.monotonic()
            first = next((line for line in cell.source.splitlines() if line.strip()), "")
            progress(f"[{len(begun)}/{cells}] {first[:90]}")

    def on_executed(cell: Any, cell_index: int, **_: Any) -> None:  # noqa: ANN401
        for output in cell.get("outputs", []):
            text = output.get("text") or output.get("data", {}).get("text/plain", "")
            if text:
                say(text.rstrip("\n"))
        progress(f"        {duration(time.monotonic() - begun[cell_index])}")

    client.on_cell_start = on_start
    client.on_cell_executed = on_executed
