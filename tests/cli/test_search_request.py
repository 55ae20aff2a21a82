"""The request of `sagehound tune` is one that SageMaker's own model of it accepts."""

import botocore.session
from botocore.validate import ParamValidator

from sagehound.cli.ranges import read_ranges
from sagehound.cli.recipe import own_script
from sagehound.cli.search_request import Place, Search, request

PLACE = Place(role="arn:aws:iam::000000000000:role/r", bucket="b", code="s3://b/code", channel="s3://b/d", region="r-1")


def made(tmp_path, tags=None, source=None, **options):
    folder = tmp_path / "src" / "deep"
    folder.mkdir(parents=True)
    (folder / "train.py").write_text("")
    recipe = own_script(folder / "train.py", ["loss=loss: ([0-9.]+)"], "", "", source)
    search = Search(**{"ranges": read_ranges(["lr=0.1:1"]), "strategy": "Random", "trials": 3, "parallel": 2} | options)
    return request("tune-1", recipe, search, PLACE, tags or {})


def test_it_is_valid(tmp_path):
    shape = botocore.session.get_session().get_service_model("sagemaker").shape_for(
        "CreateHyperParameterTuningJobRequest"
    )  # fmt: skip
    whole = made(tmp_path, resource=(1, 9), strategy="Hyperband", seed=7, tags={"a": "b"})
    assert not ParamValidator().validate(whole, shape).has_errors()
    assert whole["HyperParameterTuningJobConfig"]["StrategyConfig"] == {
        "HyperbandStrategyConfig": {"MinResource": 1, "MaxResource": 9}
    }


def test_a_script_in_a_folder_keeps_its_place_there(tmp_path):
    static = made(tmp_path, source=tmp_path / "src")["TrainingJobDefinition"]["StaticHyperParameters"]
    assert static["sagemaker_program"] == '"deep/train.py"'


def test_a_tag_that_is_too_long_is_left_out(tmp_path):
    assert made(tmp_path, tags={"a": "x" * 300, "b": "y"})["Tags"] == [{"Key": "b", "Value": "y"}]
