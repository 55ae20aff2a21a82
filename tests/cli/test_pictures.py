"""Pictures from files and addresses."""

import pytest

from sagehound.cli.pictures import LIMIT_BYTES, read_picture
from sagehound.errors import InvalidInput, NotFound


@pytest.mark.parametrize(("magic", "kind"), [(b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png")])
def test_the_kind_is_read_from_the_bytes(tmp_path, magic, kind):
    path = tmp_path / "picture.dat"
    path.write_bytes(magic + b"rest")
    assert read_picture(str(path)) == (magic + b"rest", kind)


def test_what_cannot_be_sent_says_why(tmp_path):
    text, large = tmp_path / "a.txt", tmp_path / "large.jpg"
    text.write_text("hello")
    large.write_bytes(b"\xff\xd8\xff" + bytes(LIMIT_BYTES))
    with pytest.raises(InvalidInput, match="neither a JPEG nor a PNG"):
        read_picture(str(text))
    with pytest.raises(InvalidInput, match="more than the 6 MB"):
        read_picture(str(large))
    with pytest.raises(InvalidInput, match="is a folder"):
        read_picture(str(tmp_path))
    with pytest.raises(NotFound, match="No such file"):
        read_picture(str(tmp_path / "missing.jpg"))
    with pytest.raises(NotFound, match=r"cannot fetch http://127\.0\.0\.1:1/a\.jpg"):
        read_picture("http://127.0.0.1:1/a.jpg")
