import os

import pytest

from sagehound.jobs.failure import MAX_CHARACTERS, exception, reason, signal_text

_CHAINED = """Epoch 1
Traceback (most recent call last):
  File "/opt/ml/code/data.py", line 7, in load
    raise KeyError(name)
KeyError: 'dogs'

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/opt/ml/code/train.py", line 40, in <module>
    main()
  File "/opt/ml/code/model/net.py", line 12, in forward
    return self.fc(x)
  File "/usr/lib/python3.11/site-packages/torch/nn/modules/linear.py", line 125, in forward
    return F.linear(input, self.weight, self.bias)
RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x2048 and 512x133)
""".splitlines()


def test_the_innermost_line_of_the_users_own_is_named():
    error, place = exception(_CHAINED)
    assert error == "RuntimeError: mat1 and mat2 shapes cannot be multiplied (64x2048 and 512x133)"
    assert place == "at model/net.py, line 12, in forward"


def test_the_traceback_of_what_ran_the_script_is_passed_over():
    lines = [f"[rank0]: {line}" for line in _CHAINED[8:]]
    lines += [
        "Traceback (most recent call last):",
        '  File "/usr/bin/torchrun", line 8, in <module>',
        "    sys.exit(main())",
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ",
    ]
    assert exception(lines)[1] == "at model/net.py, line 12, in forward"
    assert exception(lines)[0].startswith("RuntimeError: mat1")


def test_a_script_that_does_not_compile_is_named():
    lines = ['  File "/opt/ml/code/train.py", line 3', "    x = = 1", "        ^", "SyntaxError: invalid syntax"]
    assert exception(lines) == ["SyntaxError: invalid syntax", "at train.py, line 3"]


def test_a_log_without_traceback_gives_its_last_lines():
    text = reason(lines=["loading", "no such file: x.csv"], code=2, command="./train.sh", folder="/nowhere")
    assert text == (
        "AlgorithmError: ExecuteUserScriptError:\nExitCode 2\n"
        'ErrorMessage "loading\nno such file: x.csv"\nCommand "./train.sh"'
    )


def test_an_ordinary_line_with_a_colon_is_no_exception():
    assert exception(["Loading: photos", "WARNING: slow disk", "giving up"]) == []
    lines = [
        "Looking in indexes: https://index.example",
        "WARNING: none there",
        "ERROR: No matching distribution found for x",
    ]
    assert exception(lines) == ["ERROR: No matching distribution found for x"]


def test_writing_into_a_channel_is_explained():
    lines = [
        "Traceback (most recent call last):",
        '  File "/opt/ml/code/train.py", line 2, in <module>',
        "OSError: [Errno 30] Read-only file system: '/opt/ml/input/data/training/cache'",
    ]
    text = reason(lines=lines, code=1, command="python train.py", folder="/nowhere")
    assert "\nat train.py, line 2, in <module>\ninput channels are read-only here" in text
    text = reason(lines=["touch: '/opt/ml/model/x': Read-only file system"], code=1, command="sh", folder="/nowhere")
    assert "input channels" not in text


def test_it_fits_the_api_and_keeps_what_matters():
    lines = ["x" * 500] * 50 + _CHAINED
    text = reason(lines=lines, code=1, command="python train.py " + "--a b " * 100, folder="/nowhere")
    assert len(text) <= MAX_CHARACTERS
    assert "at model/net.py, line 12" in text
    assert text.endswith('..."')


@pytest.mark.parametrize(
    ("code", "wanted"),
    [(-9, "SIGKILL"), (137, "SIGKILL"), (-11, "SIGSEGV"), (0, ""), (1, ""), (128, ""), (255, ""), (-15, "SIGTERM")],
)
def test_signals_have_names(code, wanted):
    assert signal_text(code).removeprefix("killed by ").split(":")[0] == wanted


def _pipe(path):
    os.mkfifo(path)


def _endless(path):
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("leave", [_pipe, _endless, os.mkdir])
def test_what_is_no_plain_file_is_no_reason(tmp_path, leave):
    (tmp_path / "output").mkdir()
    leave(tmp_path / "output" / "failure")
    assert "the log's end" in reason(lines=["the log's end"], code=3, command="python t.py", folder=str(tmp_path))


def test_a_terminal_obeys_nothing_in_a_reason(tmp_path):
    (tmp_path / "output").mkdir()
    (tmp_path / "output" / "failure").write_bytes(b"it \x1b[31mfai\0led\n" + b"\n" * 10_000_000)
    said = reason(lines=[], code=3, command="python t.py", folder=str(tmp_path))
    assert "it [31mfailed" in said
    assert len(said) <= MAX_CHARACTERS
