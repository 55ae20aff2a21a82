"""A training job, for notebooks that look at its profile."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from sagehound.errors import NotFound
from sagehound.profile.notebook.algorithm_metrics_reader import AlgorithmMetricsReader, S3AlgorithmMetricsReader
from sagehound.profile.notebook.system_metrics_reader import S3SystemMetricsReader, SystemMetricsReader
from sagehound.profile.notebook.time_units import us_since_epoch_to_human_readable_time

_OVER = ("Completed", "Failed", "Stopped")
_PAUSE_S = 2.0


class TrainingJob:
    """A job of the service that the environment names (AWS_ENDPOINT_URL), and the readers of its profile."""

    def __init__(
        self, training_job_name: str, region: str | None = None, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        """NotFound where the job was asked for without a profiler; boto3's ClientError where there is no such job."""
        import boto3

        self.name = training_job_name
        self.sm_client = boto3.client("sagemaker", region_name=region)
        self.system_metrics_reader: SystemMetricsReader | None = None
        self.framework_metrics_reader: AlgorithmMetricsReader | None = None
        self.profiler_config, self.profiler_s3_output_path = self.get_config_and_profiler_s3_output_path()
        self._sleep = sleep
        print(f"The profile of {self.name} is in {self.profiler_s3_output_path}")

    def get_systems_metrics_reader(self) -> SystemMetricsReader | None:
        """The reader of the machine's samples, once `wait_for_sys_profiling_data_to_be_available` was called."""
        return self.system_metrics_reader

    def get_framework_metrics_reader(self) -> AlgorithmMetricsReader | None:
        """The reader of the timeline, once `wait_for_framework_profiling_data_to_be_available` was called."""
        return self.framework_metrics_reader

    def get_sm_client(self) -> Any:  # noqa: ANN401 - boto3 makes its clients' classes when it runs
        """The client that the job is asked for with."""
        return self.sm_client

    def get_config_and_profiler_s3_output_path(self) -> tuple[Mapping[str, Any], str]:
        """The job's ProfilerConfig, and the S3 URI of its profile."""
        config = self.describe_training_job().get("ProfilerConfig", {})
        if "S3OutputPath" not in config:
            raise NotFound(
                f"the job {self.name} has no profile: its ProfilerConfig names no S3OutputPath. Start it with one, or "
                "without disable_profiler=True"
            )
        return config, f"{config['S3OutputPath'].rstrip('/')}/{self.name}/profiler-output"

    def wait_for_sys_profiling_data_to_be_available(self) -> None:
        """Wait until there are samples of the machine. NotFound where the job is over and left none."""
        self.system_metrics_reader = reader = S3SystemMetricsReader(self.profiler_s3_output_path)
        self._wait(reader, "system metrics", "It may have ended before its first sample, or profiling was switched off")
        print("System metrics are available")

    def wait_for_framework_profiling_data_to_be_available(self) -> None:
        """Wait until there is a timeline. NotFound where the job is over and left none."""
        self.framework_metrics_reader = reader = S3AlgorithmMetricsReader(self.profiler_s3_output_path)
        self._wait(
            reader,
            "framework metrics",
            "Ask for them with ProfilerConfig(framework_profile_params=FrameworkProfile()); a training without a step "
            "has none",
        )
        last_us = reader.get_timestamp_of_latest_available_file()
        print(f"Framework metrics are available, up to {us_since_epoch_to_human_readable_time(last_us)} UTC")

    def describe_training_job(self) -> Mapping[str, Any]:
        """What the service says of the job."""
        description: Mapping[str, Any] = self.sm_client.describe_training_job(TrainingJobName=self.name)
        return description

    def _wait(self, reader: SystemMetricsReader | AlgorithmMetricsReader, what: str, else_: str) -> None:
        shown = ""
        while not reader.get_timestamp_of_latest_available_file():
            job = self.describe_training_job()
            # Looked for once more after the job was seen to be over: its last files may have come in between.
            reader.refresh_event_file_list()
            if reader.get_timestamp_of_latest_available_file():
                return
            status = f"{job.get('TrainingJobStatus', '')}, {job.get('SecondaryStatus', '')}"
            if job.get("TrainingJobStatus") in _OVER:
                raise NotFound(f"the job {self.name} is over ({status}) and left no {what}. {else_}")
            if status != shown:
                print(f"No {what} yet; the job is {status}")
                shown = status
            self._sleep(_PAUSE_S)
