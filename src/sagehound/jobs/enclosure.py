"""A process's own `/opt/ml`: a mount namespace in which a folder of ours stands there.

    python -m sagehound.jobs.enclosure SPEC.json -- COMMAND [ARGUMENT...]

runs COMMAND in one; SPEC.json is `{"folder": ..., "binds": [{"source": ..., "target": ...}], "hosts": [...],
"hostname": ...}`, all but `folder` optional (see `Spec`). Where the kernel refuses, the command runs all the same:
`/opt/ml` in its environment and arguments is replaced by the real folder, the binds become copies, and one line on
stderr says so.

Root makes the namespace directly; an ordinary user inside a user namespace, with its own user and group. Imports
little, as it stands between a job's start and the script's first line.
"""

# pathlib takes longer to import than all that is done here.
# ruff: noqa: PTH102, PTH103, PTH112, PTH115, PTH118, PTH123, PTH211

from __future__ import annotations

import json
import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ctypes
    from typing import TypedDict

    class BindSpec(TypedDict):
        """A folder of this machine, and where in `/opt/ml` it shows."""

        source: str
        target: str

    class Spec(TypedDict, total=False):
        """`folder` is what shows as `/opt/ml`. `binds` are folders that show read-only at `target`, relative to
        `/opt/ml`. `hosts` are names that resolve to this machine, `hostname` is the one it answers to."""

        folder: str
        binds: list[BindSpec]
        hosts: list[str]
        hostname: str


MOUNT_POINT = "/opt/ml"

_CLONE_NEWNS, _CLONE_NEWUTS, _CLONE_NEWUSER = 0x00020000, 0x04000000, 0x10000000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 0x1, 0x20, 0x1000, 0x4000, 0x40000
_MS_RELATIME = 1 << 21
#: Flags of a mount that a user namespace may not drop on remounting it: nosuid, nodev, noexec, noatime, nodiratime.
_KEPT_FLAGS = 0x2 | 0x4 | 0x8 | 0x400 | 0x800
_ST_RELATIME = 0x1000


def enter(spec: Spec) -> str:
    """Give this process, and what it starts, its own `/opt/ml`. Returns why it could not be done, "" where it was.

    The attempt is made in a forked process first: one that fails half-way leaves this process as it was.
    """
    refusal = _rehearse(spec)
    return refusal or attempt(spec)


def attempt(spec: Spec) -> str:
    """`enter`, for a process that ends where it is refused: it may be left half-way."""
    hidden = _hidden_by_mount(spec)
    if hidden:
        return f"{hidden} lies under {MOUNT_POINT}, which would hide it"
    try:
        _enter(spec)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the script runs without
        return str(getattr(problem, "strerror", None) or problem) or repr(problem)
    return ""


def degrade(spec: Spec, environment: dict[str, str], argv: list[str]) -> tuple[dict[str, str], list[str]]:
    """What to run where `enter` is refused, after `copy_binds`: the folder's own path stands for `/opt/ml`."""
    folder = spec["folder"]
    replaced = {name: real_path(value, folder) for name, value in environment.items()}
    for name in ("SM_MASTER_ADDR", "MASTER_ADDR"):
        if replaced.get(name) in spec.get("hosts", []):
            replaced[name] = "127.0.0.1"
    return replaced, [real_path(argument, folder) for argument in argv]


def copy_binds(spec: Spec) -> None:
    """Put copies where `enter` would have shown the binds, which are a bucket's own files: nothing else keeps a
    process from writing into those. Clones, which cost nothing, where the file system makes them."""
    if not spec.get("binds"):
        return
    import subprocess

    clone = ["-c"] if sys.platform == "darwin" else ["--reflink=auto"]
    for bind in spec.get("binds", []):
        target = os.path.join(spec["folder"], bind["target"])
        os.makedirs(target, exist_ok=True)
        source = os.path.join(bind["source"], ".")
        for options in (clone, []):  # a plain cp knows neither
            done = subprocess.run(["cp", "-R", *options, source, target], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                break
        else:
            raise OSError(0, f"{bind['source']} cannot be copied to {target}: {done.stderr.strip()[-500:]}")


def real_path(text: str, folder: str) -> str:
    """`text` with every `/opt/ml` in it (not `/opt/mlx`) as `folder`."""
    return re.sub(re.escape(MOUNT_POINT) + r"(?![\w.-])", lambda _: folder, text)


def refusal_line(refusal: str, folder: str) -> str:
    """What to tell the owner of a process that runs without a `/opt/ml` of its own."""
    return (
        f"sagehound: this machine gives the process no {MOUNT_POINT} of its own ({refusal}). Its files: {folder}; "
        f"use the SM_* variables (SM_MODEL_DIR, SM_CHANNEL_...), a path that starts with {MOUNT_POINT} is not found. "
        "Input is copied there, which takes time and room."
    )


def _rehearse(spec: Spec) -> str:
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writer, attempt(spec).encode()[:4096])
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, "rb") as pipe:
        said = pipe.read().decode(errors="replace")
    return said if os.waitpid(child, 0)[1] == 0 else said or "the attempt died"


def _enter(spec: Spec) -> None:
    if sys.platform != "linux":
        raise OSError(0, "only Linux has mount namespaces")
    _unshare()
    _mount("none", "/", _MS_REC | _MS_PRIVATE)
    _make_mount_point()
    _mount(spec["folder"], MOUNT_POINT, _MS_BIND | _MS_REC)
    for bind in spec.get("binds", []):
        _bind_read_only(bind["source"], f"{MOUNT_POINT}/{bind['target']}")
    if spec.get("hosts"):
        _name_hosts(spec)


def _unshare() -> None:
    """Into a mount namespace (and one for the host's name); by way of a user namespace where that needs no root."""
    uid, gid = os.geteuid(), os.getegid()
    if _libc().unshare(_CLONE_NEWNS | _CLONE_NEWUTS) == 0:
        return
    _checked(_libc().unshare(_CLONE_NEWUSER | _CLONE_NEWNS | _CLONE_NEWUTS), "unshare")
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _make_mount_point() -> None:
    if os.path.isdir(MOUNT_POINT):
        return
    try:
        os.makedirs(MOUNT_POINT, exist_ok=True)
    except OSError:
        _cover_opt()


def _cover_opt() -> None:
    """Lay an empty file system over /opt, with what was there bound back, and make the mount point in it."""
    former = os.open("/opt", os.O_PATH | os.O_DIRECTORY)
    entries = list(os.scandir("/opt"))
    _mount("tmpfs", "/opt", 0, "tmpfs", "size=1m,mode=755")
    for entry in entries:
        source, target = f"/proc/self/fd/{former}/{entry.name}", f"/opt/{entry.name}"
        if entry.is_symlink():
            os.symlink(os.readlink(source), target)
            continue
        if entry.is_dir():
            os.mkdir(target)
        else:
            os.close(os.open(target, os.O_CREAT | os.O_CLOEXEC))
        _mount(source, target, _MS_BIND | _MS_REC)
    os.close(former)
    os.mkdir(MOUNT_POINT)


def _bind_read_only(source: str, target: str) -> None:
    os.makedirs(target, exist_ok=True)
    _mount(source, target, _MS_BIND | _MS_REC)
    flags = os.statvfs(target).f_flag
    kept = flags & _KEPT_FLAGS | (_MS_RELATIME if flags & _ST_RELATIME else 0)
    _mount("none", target, _MS_BIND | _MS_REMOUNT | _MS_RDONLY | kept)


def _name_hosts(spec: Spec) -> None:
    """The hosts' names resolve to this machine: /etc/hosts of the namespace has them, in a file beside the folder."""
    path = f"{spec['folder']}.hosts"
    with open("/etc/hosts") as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.rstrip("\n") + f"\n127.0.0.1 {' '.join(spec['hosts'])}\n")
    _mount(path, "/etc/hosts", _MS_BIND)
    name = spec.get("hostname", "").encode()
    if name:
        _checked(_libc().sethostname(name, len(name)), "sethostname")


def _hidden_by_mount(spec: Spec) -> str:
    paths = [spec["folder"], *(bind["source"] for bind in spec.get("binds", [])), sys.executable, __file__]
    return next((path for path in paths if os.path.realpath(path).startswith(MOUNT_POINT + "/")), "")


def _mount(source: str, target: str, flags: int, kind: str = "", data: str = "") -> None:
    code = _libc().mount(source.encode(), target.encode(), kind.encode() or None, flags, data.encode() or None)
    _checked(code, f"mount {target}")


def _checked(code: int, what: str) -> None:
    import ctypes

    if code != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _libc() -> ctypes.CDLL:
    import ctypes

    library = ctypes.CDLL(None, use_errno=True)
    library.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
    return library


def main(arguments: list[str]) -> None:
    """Run the command in its enclosure, in place of this process."""
    spec_path, _, *command = arguments
    with open(spec_path) as file:
        spec: Spec = json.load(file)
    environment = dict(os.environ)
    refusal = enter(spec)
    if refusal:
        print(refusal_line(refusal, spec["folder"]), file=sys.stderr, flush=True)
        environment, command = degrade(spec, environment, command)
        copy_binds(spec)
    os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        sys.exit("usage: python -m sagehound.jobs.enclosure SPEC.json -- COMMAND [ARGUMENT...]")
    main(sys.argv[1:])
