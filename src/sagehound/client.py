"""The client's side: what makes boto3, the AWS CLI and the SageMaker SDKs speak to the local service."""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sagehound import daemon
from sagehound.address import Address
from sagehound.keys import Keys, load_keys
from sagehound.settings import default_home

DROPIN = Path(__file__).parent / "dropin"
PLUGIN = "sagehound=sagehound_botocore"

_SDK_CONFIG = """\
# Written by sagehound: the SageMaker SDK reads its defaults here instead of in the user's own file.
SchemaVersion: '1.0'
SageMaker:
  PythonSDK:
    Modules:
      TelemetryOptOut: true
"""


def environment(address: Address, keys: Keys, home: Path, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The variables that point every AWS client of a process at the service; the rest of `base` stays as it is.

    `base` (this process's environment where None) is what the process has: its proxies, plugins, paths and profile
    are kept working, and none of its AWS settings leaks in. Writes three small files under `home/client`.
    """
    base = os.environ if base is None else base
    files = _write_files(address, keys, home, base)
    variables = {
        "SAGEHOUND_HOME": str(home),
        "AWS_ENDPOINT_URL": address.endpoint,
        "AWS_ENDPOINT_URL_S3": address.s3_endpoint,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ACCESS_KEY_ID": keys.access_key,
        "AWS_SECRET_ACCESS_KEY": keys.secret_key,
        # Empty says none to every AWS client; left out, a token of the user's would go with the keys above.
        "AWS_SESSION_TOKEN": "",
        "AWS_SECURITY_TOKEN": "",
        "AWS_REGION": address.region,
        "AWS_DEFAULT_REGION": address.region,
        "AWS_CONFIG_FILE": str(files / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(files / "aws-credentials"),
        "AWS_USE_FIPS_ENDPOINT": "false",
        "AWS_USE_DUALSTACK_ENDPOINT": "false",
        "AWS_EC2_METADATA_DISABLED": "true",
        # rclone answers a range read with the checksum of the whole object, which botocore would compare.
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        "SAGEMAKER_USER_CONFIG_OVERRIDE": str(files / "sagemaker.yaml"),
        # The SDK v2 warns of its successor twice for every class.
        "SAGEMAKER_SUPPRESS_V2_WARNING": base.get("SAGEMAKER_SUPPRESS_V2_WARNING", "1"),
        "BOTOCORE_EXPERIMENTAL__PLUGINS": _joined(",", PLUGIN, base.get("BOTOCORE_EXPERIMENTAL__PLUGINS", "")),
        "PYTHONPATH": _joined(os.pathsep, str(DROPIN), base.get("PYTHONPATH", "")),
    }
    for name in base:
        if name.startswith("AWS_ENDPOINT_URL_") and name != "AWS_ENDPOINT_URL_S3":
            variables[name] = address.endpoint
    for name in ("NO_PROXY", "no_proxy"):
        variables[name] = _joined(",", "127.0.0.1,localhost", base.get(name, ""))
    return variables


def _joined(separator: str, first: str, rest: str) -> str:
    """`first` in front of the list `rest`, once."""
    if rest == first or rest.startswith(first + separator):
        return rest
    return separator.join(part for part in (first, rest) if part)


def _write_files(address: Address, keys: Keys, home: Path, base: Mapping[str, str]) -> Path:
    """The config files, with a section for every profile of the user's: a program that names its profile finds it,
    and gets the service's keys."""
    folder = home / "client"
    folder.mkdir(parents=True, exist_ok=True)
    profiles = _profiles(base)
    # Path style, because an object store of the user's own has no host name for each bucket.
    config = f"region = {address.region}\ns3 =\n  addressing_style = path\n"
    credentials = f"aws_access_key_id = {keys.access_key}\naws_secret_access_key = {keys.secret_key}\n"
    sections = {name: name if name == "default" else f"profile {name}" for name in profiles}
    _write(folder / "aws-config", "\n".join(f"[{section}]\n{config}" for section in sections.values()))
    _write(folder / "aws-credentials", "\n".join(f"[{name}]\n{credentials}" for name in profiles))
    _write(folder / "sagemaker.yaml", _SDK_CONFIG)
    return folder


def _profiles(base: Mapping[str, str]) -> list[str]:
    """The names of the user's AWS profiles; `default` and the one that the environment names always."""
    home = Path(base.get("HOME") or Path.home())
    names = {"default", base.get("AWS_PROFILE") or "default", base.get("AWS_DEFAULT_PROFILE") or "default"}
    for variable, standard in (("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")):
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read(Path(base.get(variable) or home / ".aws" / standard).expanduser())
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # A file that no AWS client could read names no profile.
        prefix = "profile " if standard == "config" else ""
        names |= {name.removeprefix(prefix) for name in parser.sections() if name.startswith(prefix)}
    return sorted(names)


def _write(path: Path, text: str) -> None:
    """`text` as `path`, for its owner alone, whole or not at all, and only where it differs."""
    if path.exists() and path.read_text() == text:
        return
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    draft.replace(path)


@dataclass(frozen=True, slots=True)
class Activation:
    """What `activate()` did: which service this process speaks to."""

    address: Address
    home: Path
    started: bool

    def __repr__(self) -> str:
        where = self.address
        begun = "; started now, end it with: sagehound down" if self.started else ""
        return (
            f"Sagehound active: {where.endpoint}, account {where.account}, region {where.region}; "
            f"objects in {where.s3_endpoint}{begun}"
        )


#: The variables as they were before `activate`; None where the variable was not set.
_before: dict[str, str | None] = {}


def activate(home: Path | str | None = None) -> Activation:
    """Point boto3, botocore, the AWS CLI and the SageMaker SDKs of this process, and of those it starts, at the local
    service; it is started where none runs. For a notebook's first cell, also after boto3 was imported.

    Clients and sessions that exist already keep what they were made with: make them anew. `deactivate` undoes it.
    """
    from sagehound.vision import operators

    folder = default_home() if home is None else Path(home).expanduser().absolute()
    deactivate()
    address = daemon.running(folder)
    started = address is None
    if address is None:
        address = daemon.start(folder)
    variables = environment(address, load_keys(folder), folder)
    _before.update({name: os.environ.get(name) for name in variables})
    os.environ.update(variables)
    if str(DROPIN) not in sys.path:
        sys.path.insert(0, str(DROPIN))
    _forget_other_smdebug()
    _forget_default_session()
    operators.install()  # What the sitecustomize beside the plugin does in processes that start from here on.
    return Activation(address, folder, started)


def deactivate() -> None:
    """Give the process its own AWS settings back. Does nothing where `activate` was not called."""
    if not _before:
        return
    for name, value in _before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    _before.clear()
    if str(DROPIN) in sys.path:
        sys.path.remove(str(DROPIN))
    _forget_default_session()


def _forget_other_smdebug() -> None:
    """What pip installed as smdebug and the program has imported, also in part: the next import finds the drop-in."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if name.partition(".")[0] == "smdebug" and not file.startswith(str(DROPIN)):
            del sys.modules[name]


def _forget_default_session() -> None:
    """boto3's default session keeps the credentials of its first use; the next use makes a new one."""
    boto3 = sys.modules.get("boto3")
    if boto3 is not None:
        boto3.DEFAULT_SESSION = None  # type: ignore[attr-defined]
