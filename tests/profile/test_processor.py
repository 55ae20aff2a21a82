"""What the processor says of itself."""

from pathlib import Path

import pytest

from sagehound.profile.processor import bfloat16


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("fpu sse2 avx512_bf16", "avx512_bf16"),
        ("avx512_bf16 amx_tile amx_bf16", "amx_bf16"),
        ("fpu avx2 avx512f", "none"),
    ],
)
def test_its_flags(tmp_path: Path, flags: str, found: str) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n\nprocessor\t: 1\nflags\t: {flags}\n")
    assert bfloat16(tmp_path / "cpuinfo") == found


def test_a_system_that_does_not_tell(tmp_path: Path) -> None:
    (tmp_path / "cpuinfo").write_text("Features\t: asimd bf16\n")
    assert bfloat16(tmp_path / "cpuinfo") == ""
    assert bfloat16(tmp_path / "none") == ""
