"""The demo's own pictures."""

from PIL import Image

from sagehound.cli.digits import write_digits


def test_digits_are_class_folders_with_a_test_set(tmp_path):
    assert write_digits(tmp_path) == 1000
    assert len(list((tmp_path / "train").glob("*/*.jpg"))) == 750
    assert sorted(path.name for path in (tmp_path / "test").iterdir()) == list("0123456789")
    picture = next((tmp_path / "test" / "3").iterdir())
    with Image.open(picture) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (64, 64))
    picture.write_bytes(b"mine")
    write_digits(tmp_path)
    assert picture.read_bytes() == b"mine"
