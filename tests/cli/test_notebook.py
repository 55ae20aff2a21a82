"""A notebook executed in place."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from sagehound.cli.notebook import execute
from sagehound.errors import InvalidInput

pytestmark = pytest.mark.filterwarnings("default")  # Jupyter's own.


def notebook(path, *sources):
    nbformat.write(new_notebook(cells=[new_code_cell(source) for source in sources]), path)
    return path


def test_the_outputs_are_saved_and_printed(tmp_path, capsys):
    path = notebook(tmp_path / "n.ipynb", "import os\nprint(os.getcwd())", "1 + 1")
    execute(path)
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].outputs[0].text == f"{tmp_path}\n"
    assert cells[1].outputs[0].data["text/plain"] == "2"
    captured = capsys.readouterr()
    assert captured.out == f"{tmp_path}\n2\n"
    assert "[1/2] import os" in captured.err


def test_a_failing_cell_is_shown_and_what_ran_is_kept(tmp_path, capsys):
    path = notebook(tmp_path / "n.ipynb", "print('before')", "1 / 0", "print('never')")
    with pytest.raises(InvalidInput, match="ZeroDivisionError"):
        execute(path)
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].outputs[0].text == "before\n"
    assert cells[1].outputs[0].ename == "ZeroDivisionError"
    assert cells[2].outputs == []


def test_a_file_that_is_no_notebook_is_refused(tmp_path):
    path = tmp_path / "n.ipynb"
    path.write_text("{")
    with pytest.raises(InvalidInput, match="cannot be read as a notebook"):
        execute(path)
    assert path.read_text() == "{"
