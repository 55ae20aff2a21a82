"""The steps of the demo, as a program of the SageMaker SDK v2 takes them; it only waits less long than the SDK does."""

from __future__ import annotations

import io
import json
import logging
import tarfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sagehound
from sagehound.cli.connection import Connection
from sagehound.cli.console import progress
from sagehound.cli.predictions import Prediction, predictions
from sagehound.cli.report import html
from sagehound.cli.study_reader import StudyReader
from sagehound.cli.upload import upload
from sagehound.cli.watch import write
from sagehound.errors import JobFailure
from sagehound.names import S3Uri

OBJECTIVE = "average test loss"
METRICS = [{"Name": OBJECTIVE, "Regex": r"Test set: Average loss: ([0-9\.]+)"}]
TRAIN = Path(sagehound.__file__).parent / "vision" / "train.py"
FRAMEWORK = {"framework_version": "2.0", "py_version": "py310"}
TRIALS = 4
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Story:
    """A service, a SageMaker session with it, and the role that its jobs run under."""

    connection: Connection
    session: Any
    role: str
    bucket: str

    @classmethod
    def begin(cls, connection: Connection) -> Story:
        """A session of the SDK, which is told to say less."""
        sagehound.activate(connection.home)
        logging.disable(logging.WARNING)
        import sagemaker

        session = sagemaker.Session()
        return cls(connection, session, sagemaker.get_execution_role(session), session.default_bucket())

    def upload(self, folder: Path) -> tuple[str, int]:
        """Upload every file under `folder`, and return their address and number."""
        return upload(folder, self.bucket)

    def _estimator(self, name: str, hyperparameters: dict[str, Any], **options: Any) -> Any:  # noqa: ANN401
        from sagemaker.pytorch import PyTorch

        return PyTorch(
            entry_point=str(TRAIN),
            base_job_name=name,
            role=self.role,
            instance_count=1,
            instance_type="ml.c5.2xlarge",
            hyperparameters=hyperparameters,
            metric_definitions=METRICS,
            sagemaker_session=self.session,
            **FRAMEWORK,
            **options,
        )

    def tune(self, channel: str, static: dict[str, str]) -> Any:  # noqa: ANN401
        """A tuning job with the seed's ranges, waited for; JobFailure where no trial succeeds."""
        from sagemaker.tuner import CategoricalParameter, ContinuousParameter, HyperparameterTuner
        from sagemaker.utils import name_from_base

        tuner = HyperparameterTuner(
            self._estimator("hpo", {"test-batch-size": "100", **static}),
            OBJECTIVE,
            {
                "lr": ContinuousParameter(0.001, 0.1),
                "batch_size": CategoricalParameter([32, 64, 128]),
                "epochs": CategoricalParameter([1, 2]),
            },
            METRICS,
            objective_type="Minimize",
            max_jobs=TRIALS,
            max_parallel_jobs=2,
        )
        # The SDK's own name has no seconds: a second demo within a minute would be refused.
        tuner.fit({"training": channel}, wait=False, job_name=name_from_base("demo", max_length=32))

        def state() -> tuple[str, dict[str, Any]]:
            said = tuner.describe()
            done = sum(said["TrainingJobStatusCounters"][name] for name in ("Completed", "NonRetryableError"))
            return f"{done} of {TRIALS} trials have ended", said

        description = _wait(state, "HyperParameterTuningJobStatus")
        if not description.get("BestTrainingJob", {}).get("TrainingJobName"):
            name = description["HyperParameterTuningJobName"]
            raise JobFailure(f"no trial of {name} gave a loss; see why with: sagehound logs {name}")
        return tuner

    def trials(self, tuner: Any) -> tuple[list[str], list[list[str]]]:  # noqa: ANN401
        """The trials as a table, the best first."""
        frame = tuner.analytics().dataframe().sort_values("FinalObjectiveValue")
        rows = [
            [
                trial.TrainingJobName,
                trial.TrainingJobStatus,
                f"{float(trial.lr):.6f}",
                trial.batch_size.strip('"'),
                trial.epochs.strip('"'),
                f"{trial.FinalObjectiveValue:.4f}",
                f"{trial.TrainingElapsedTimeSeconds:.1f}",
            ]
            for trial in frame.itertuples()
        ]
        return ["TRIAL", "STATUS", "LR", "BATCH_SIZE", "EPOCHS", "AVERAGE TEST LOSS", "SECONDS"], rows

    def best(self, tuner: Any) -> dict[str, str]:  # noqa: ANN401
        """The hyperparameters of the best trial, as the SDK gives them."""
        values: dict[str, str] = tuner.best_estimator().hyperparameters()
        return values

    def tuning_page(self, tuner: Any, path: Path) -> Path:  # noqa: ANN401
        """The page of the tuning job, as a file; its whole path."""
        write(StudyReader(self.connection, tuner.latest_tuning_job.name).read(), path)
        return path.absolute()

    def train(self, channel: str, best: dict[str, str]) -> tuple[Any, dict[str, Any]]:
        """Train with the values of the best trial, watched by the debugger and the profiler; returns the estimator and
        the job's description."""
        own = {name: json.loads(value) for name, value in best.items() if not name.startswith(("sagemaker_", "_"))}
        estimator = self._estimator("best-model", own, **_watched())
        estimator.fit({"training": channel}, wait=False)
        job = estimator.latest_training_job

        def state() -> tuple[str, dict[str, Any]]:
            said = job.describe()
            return said["SecondaryStatus"], said

        return estimator, _wait(state, "TrainingJobStatus")

    def rules(self, estimator: Any) -> list[list[str]]:  # noqa: ANN401
        """The rules that watched the training, waited for: names, statuses, and what they say."""
        job = estimator.latest_training_job

        def state() -> tuple[str, dict[str, Any]]:
            found = job.rule_job_summary()
            going = [rule["RuleConfigurationName"] for rule in found if rule["RuleEvaluationStatus"] == "InProgress"]
            words = f"{' and '.join(going)} still to be judged" if going else "all rules have been judged"
            return words, {"status": "InProgress" if going else "Completed", "rules": found}

        return [
            [rule["RuleConfigurationName"], rule["RuleEvaluationStatus"], rule.get("StatusDetails", "")]
            for rule in _wait(state, "status")["rules"]
        ]

    def report(self, description: dict[str, Any], path: Path) -> None:
        """The profiler's report on the training, as a file."""
        path.write_bytes(html(self.connection, description))

    def history(self, description: dict[str, Any]) -> dict[str, Any]:
        """`history.json` of a job of sagehound.vision.train, from its output.tar.gz in S3."""
        import boto3

        output = S3Uri.parse(description["OutputDataConfig"]["S3OutputPath"])
        archive = output / description["TrainingJobName"] / "output" / "output.tar.gz"
        body = boto3.client("s3").get_object(Bucket=archive.bucket, Key=archive.key)["Body"].read()
        with tarfile.open(fileobj=io.BytesIO(body)) as tar:
            member = next(member for member in tar if member.name.endswith("history.json"))
            file = tar.extractfile(member)
            assert file is not None, "history.json is a file"
            history: dict[str, Any] = json.load(file)
        return history

    def deploy(self, estimator: Any) -> Any:  # noqa: ANN401
        """An endpoint of the trained model, waited for; JobFailure with the reason where it fails."""
        from sagemaker.deserializers import JSONDeserializer
        from sagemaker.predictor import Predictor
        from sagemaker.pytorch import PyTorchModel
        from sagemaker.serializers import IdentitySerializer

        class ImagePredictor(Predictor):  # type: ignore[misc]
            """Sends the bytes of a JPEG, and reads JSON."""

            def __init__(self, endpoint_name: str, sagemaker_session: Any) -> None:  # noqa: ANN401
                super().__init__(endpoint_name, sagemaker_session, IdentitySerializer("image/jpeg"), JSONDeserializer())

        model = PyTorchModel(
            model_data=estimator.model_data,
            role=self.role,
            entry_point=str(TRAIN.with_name("inference.py")),
            predictor_cls=ImagePredictor,
            sagemaker_session=self.session,
            **FRAMEWORK,
        )
        predictor = model.deploy(initial_instance_count=1, instance_type="ml.m5.large", wait=False)

        def state() -> tuple[str, dict[str, Any]]:
            said = self.session.sagemaker_client.describe_endpoint(EndpointName=predictor.endpoint_name)
            return said["EndpointStatus"], said

        _wait(state, "EndpointStatus")
        return predictor

    def ask(self, predictor: Any, picture: Path) -> Prediction:  # noqa: ANN401
        """What the endpoint sees in a JPEG or PNG, by name."""
        image = picture.read_bytes()
        kind = "image/png" if picture.suffix.lower() == ".png" else "image/jpeg"
        accept = {"ContentType": kind, "Accept": "application/json;verbose=true"}
        (answer,) = predictions(predictor.predict(image, initial_args=accept))
        return answer


def _watched() -> dict[str, Any]:
    """What the estimator is given to have its training watched."""
    from sagemaker.debugger import (
        CollectionConfig,
        DebuggerHookConfig,
        ProfilerConfig,
        ProfilerRule,
        Rule,
        rule_configs,
    )

    return {
        "rules": [
            Rule.sagemaker(rule_configs.vanishing_gradient()),
            Rule.sagemaker(rule_configs.loss_not_decreasing()),
            ProfilerRule.sagemaker(rule_configs.ProfilerReport()),
        ],
        "debugger_hook_config": DebuggerHookConfig(
            hook_parameters={"save_interval": "2"},
            collection_configs=[CollectionConfig("losses"), CollectionConfig("gradients")],
        ),
        "profiler_config": ProfilerConfig(system_monitor_interval_millis=100),
    }


def _wait(state: Callable[[], tuple[str, dict[str, Any]]], key: str) -> dict[str, Any]:
    """Describe until it is over, saying what changes; the last description, or JobFailure with the reason."""
    last = ""
    while True:
        words, description = state()
        if words != last:
            progress(f"     {words}")
            last = words
        status = description[key]
        if status in ("Failed", "Stopped"):
            raise JobFailure(f"{status}: {description.get('FailureReason', 'stopped by somebody')}")
        if status in ("Completed", "InService"):
            return description
        time.sleep(_POLL_S)
