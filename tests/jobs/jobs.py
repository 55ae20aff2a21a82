"""Training jobs for the tests of this folder."""

import tarfile

from sagehound.jobs.contract import Staged
from sagehound.records.training import Channel, TrainingJob, TrainingSpec


def job(name="dogs", *, program="train.py", channels=("training",), count=1, **changes):
    """A script-mode job; `changes` go into its spec, `hyperparameters` beside those of the SDK."""
    sdk = {"sagemaker_program": f'"{program}"', "sagemaker_submit_directory": '"s3://bucket/sourcedir.tar.gz"'}
    own = changes.pop("hyperparameters", {})
    spec = TrainingSpec(
        hyperparameters={**(sdk if program else {}), **own},
        output_uri="s3://bucket/",
        instance_type="ml.c5.xlarge",
        instance_count=count,
        channels=tuple(Channel(name=channel, uri=f"s3://bucket/{channel}") for channel in channels),
        **changes,
    )
    arn = f"arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}"
    return TrainingJob(name=name, created_at=0, modified_at=0, arn=arn, spec=spec, document={})


def staged(folder, files, *, channels=("training",), hosts=1, **changes):
    """What the control loop would make ready: the code as an archive of `files`, channels with one file each."""
    source = folder / "source"
    for name, text in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    archive = folder / "sourcedir.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for entry in source.iterdir() if files else ():
            tar.add(entry, entry.name)
    folders = {channel: folder / "channels" / channel for channel in channels}
    for path in folders.values():
        path.mkdir(parents=True)
        (path / "data.txt").write_text("data")
    return Staged(
        folder=folder / "job",
        hosts_channels={f"algo-{number}": folders for number in range(1, hosts + 1)},
        code=archive if files else None,
        environments_folder=folder / "environments",
        **changes,
    )
