import io
import os
import tarfile

import pytest

from sagehound.errors import InvalidInput
from sagehound.jobs.archives import pack, unpack


def _tar(path, *members, mode="w:gz"):
    with tarfile.open(path, mode) as tar:
        for name, content, changes in members:
            info = tarfile.TarInfo(name)
            for key, value in changes.items():
                setattr(info, key, value)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def test_what_was_packed_comes_out_again(tmp_path):
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "deep" / "er" / "weights").write_bytes(os.urandom(3_000_000))
    (source / "text").write_text("compresses " * 500_000)
    (source / "run.sh").touch(0o755)
    (source / "link").symlink_to("deep/er/weights")
    os.link(source / "text", source / "twin")
    assert pack([source], tmp_path / "a.tar.gz") == []
    unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    for name in ("deep/er/weights", "text", "twin", "link"):
        assert (tmp_path / "out" / name).read_bytes() == (source / name).read_bytes()
    assert (tmp_path / "out" / "run.sh").stat().st_mode & 0o100
    assert (tmp_path / "out" / "link").is_symlink()
    assert (tmp_path / "a.tar.gz").stat().st_size < 3_300_000


def test_an_archive_is_one_that_other_programs_read(tmp_path):
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a").write_bytes(os.urandom(2_500_000))
    pack([tmp_path / "s"], tmp_path / "a.tar.gz")
    (tmp_path / "o").mkdir()
    assert os.system(f"gzip -t {tmp_path}/a.tar.gz && tar xzf {tmp_path}/a.tar.gz -C {tmp_path}/o") == 0
    assert (tmp_path / "o" / "a").read_bytes() == (tmp_path / "s" / "a").read_bytes()


def test_the_first_of_two_folders_wins(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name / "sub").mkdir(parents=True)
        (tmp_path / name / "sub" / "same").write_text(name)
        (tmp_path / name / "sub" / name).write_text(name)
    pack([tmp_path / "one", tmp_path / "two"], tmp_path / "a.tar.gz")
    unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    assert (tmp_path / "out/sub/same").read_text() == "one"
    assert (tmp_path / "out/sub/two").read_text() == "two"


def test_links_that_lead_out_are_packed_as_what_they_point_at(tmp_path):
    (tmp_path / "cache" / "blobs").mkdir(parents=True)
    (tmp_path / "cache" / "blobs" / "w").write_text("weights")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "model").symlink_to(tmp_path / "cache" / "blobs" / "w")
    (tmp_path / "s" / "folder").symlink_to(tmp_path / "cache")
    (tmp_path / "s" / "nothing").symlink_to(tmp_path / "gone")
    os.mkfifo(tmp_path / "s" / "pipe")
    assert pack([tmp_path / "s"], tmp_path / "a.tar.gz") == ["nothing", "pipe"]
    unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    assert (tmp_path / "out/model").read_text() == "weights"
    assert (tmp_path / "out/folder/blobs/w").read_text() == "weights"


@pytest.mark.parametrize(
    "member",
    [
        ("../outside", b"x", {}),
        ("a/../../outside", b"x", {}),
        ("/etc/outside", b"x", {}),
        ("link", b"", {"type": tarfile.SYMTYPE, "linkname": "../outside"}),
        ("link", b"", {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"}),
        ("link", b"", {"type": tarfile.SYMTYPE, "linkname": "a/../../outside"}),
        ("link", b"", {"type": tarfile.LNKTYPE, "linkname": "../outside"}),
        ("link", b"", {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"}),
        ("device", b"", {"type": tarfile.CHRTYPE}),
        ("pipe", b"", {"type": tarfile.FIFOTYPE}),
    ],
)
def test_what_leaves_the_folder_is_refused_by_name_and_nothing_stays(tmp_path, member):
    archive = _tar(tmp_path / "a.tar.gz", ("fine", b"x", {}), member)
    with pytest.raises(InvalidInput, match=member[0].split("/")[-1]):
        unpack(archive, tmp_path / "in" / "out")
    assert list((tmp_path / "in").iterdir()) == []


def test_nothing_is_written_through_a_link_of_the_archive(tmp_path):
    (tmp_path / "target").mkdir()
    archive = _tar(
        tmp_path / "a.tar.gz",
        ("in", b"", {"type": tarfile.SYMTYPE, "linkname": "."}),
        ("in/file", b"x", {}),
    )
    with pytest.raises(InvalidInput):
        unpack(archive, tmp_path / "out")


def test_size_and_count_are_limited(tmp_path):
    archive = _tar(tmp_path / "a.tar.gz", *((f"f{n}", b"x" * 1000, {}) for n in range(10)))
    with pytest.raises(InvalidInput, match="f5"):
        unpack(archive, tmp_path / "out", max_bytes=5500)
    with pytest.raises(InvalidInput, match="more than 9"):
        unpack(archive, tmp_path / "out", max_files=9)


def test_hard_links_count_as_the_files_they_are(tmp_path):
    links = ((f"l{n}", b"", {"type": tarfile.LNKTYPE, "linkname": "big"}) for n in range(10))
    archive = _tar(tmp_path / "a.tar.gz", ("big", b"x" * 1000, {}), *links)
    with pytest.raises(InvalidInput, match="more than is allowed"):
        unpack(archive, tmp_path / "out", max_bytes=5500)


def test_what_is_no_whole_archive_is_said(tmp_path):
    (tmp_path / "a.tar.gz").write_bytes(b"PK\x03\x04 not a tar")
    with pytest.raises(InvalidInput, match=r"a\.tar\.gz is no whole tar"):
        unpack(tmp_path / "a.tar.gz", tmp_path / "out")
    whole = _tar(tmp_path / "b.tar.gz", ("f", os.urandom(100_000), {})).read_bytes()
    (tmp_path / "b.tar.gz").write_bytes(whole[:50_000])
    with pytest.raises(InvalidInput, match=r"b\.tar\.gz is no whole tar"):
        unpack(tmp_path / "b.tar.gz", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_owners_and_dangerous_bits_are_dropped(tmp_path):
    unpack(_tar(tmp_path / "a.tar.gz", ("f", b"x", {"mode": 0o6777, "uid": 12345})), tmp_path / "out")
    assert (tmp_path / "out/f").stat().st_mode & 0o7777 == 0o755
    assert (tmp_path / "out/f").stat().st_uid == os.geteuid()


def test_links_that_lead_everywhere_do_not_pack_the_machine(tmp_path):
    for name in ("model", "data", "secret"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "file").write_text("x")
    (tmp_path / "data" / "further").symlink_to(tmp_path / "secret")
    model = tmp_path / "model"
    (model / "data").symlink_to(tmp_path / "data")
    (model / "round").symlink_to("round")
    (model / "above").symlink_to("..")
    (model / "processes").symlink_to("/proc/self")
    assert sorted(pack([model], tmp_path / "a.tar.gz")) == ["above", "data", "processes", "round"]
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        assert tar.getnames() == ["data/file"]


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
@pytest.mark.parametrize("before", [[], [("file", b"x", {})]])
def test_a_header_of_gigabytes_is_not_read(tmp_path, kind, before):
    archive = _tar(tmp_path / "a.tar.gz", *before, ("header", b" " * 2_000_000, {"type": kind}))
    with pytest.raises(InvalidInput, match="a header of 2000000 bytes"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()
