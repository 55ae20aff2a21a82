"""The import name `smdebug.profiler`, in processes that have the drop-in folder first on their path."""

from dataclasses import replace

from sagehound.testing.profile_files import write_profile
from sagehound.testing.recorded_profile import healthy
from tests.dropin.test_smdebug import printed

NAMES = """
import sys
from smdebug.profiler.analysis.notebook_utils.training_job import TrainingJob
from smdebug.profiler.analysis.notebook_utils.timeline_charts import TimelineCharts
from smdebug.profiler.analysis.notebook_utils.heatmap import Heatmap
from smdebug.profiler.analysis.notebook_utils.metrics_histogram import MetricsHistogram
from smdebug.profiler.analysis.notebook_utils.step_histogram import StepHistogram
from smdebug.profiler.analysis.notebook_utils.step_timeline_chart import StepTimelineChart
from smdebug.profiler.analysis.notebook_utils import MetricsHistogram as M1, StepHistogram as S1, TrainingJob as T1
from smdebug.profiler.analysis.utils.profiler_data_to_pandas import PandasFrame
from smdebug.profiler.system_metrics_reader import LocalSystemMetricsReader, S3SystemMetricsReader
from smdebug.profiler.algorithm_metrics_reader import LocalAlgorithmMetricsReader, S3AlgorithmMetricsReader
from smdebug.profiler import LocalSystemMetricsReader as L1, S3AlgorithmMetricsReader as A1, TraceEvent
from smdebug.profiler.system_profiler_file_parser import ProfilerSystemEvent
from smdebug.profiler.trace_event_file_parser import TraceEvent
from smdebug.profiler.utils import TimeUnits, us_since_epoch_to_human_readable_time
assert (M1, S1, T1, L1, A1) == (
    MetricsHistogram, StepHistogram, TrainingJob, LocalSystemMetricsReader, S3AlgorithmMetricsReader)
print('torch' in sys.modules)
"""

CELLS = """
import sys
from smdebug.profiler.system_metrics_reader import LocalSystemMetricsReader
from smdebug.profiler.algorithm_metrics_reader import LocalAlgorithmMetricsReader
from smdebug.profiler.analysis.notebook_utils.timeline_charts import TimelineCharts
from smdebug.profiler.analysis.utils.profiler_data_to_pandas import PandasFrame
system, framework = LocalSystemMetricsReader(sys.argv[1]), LocalAlgorithmMetricsReader(sys.argv[1])
charts = TimelineCharts(system, framework, select_dimensions=['CPU', 'GPU'], select_events=['total'], x=1000)
frame = PandasFrame(sys.argv[1])
print(len(charts.figures), len(frame.get_all_system_metrics()), len(frame.get_all_framework_metrics()))
"""


def test_every_documented_name_is_there():
    assert printed(NAMES) == "False"


def test_the_cells_of_a_notebook_run(tmp_path):
    recorded = replace(healthy(), steps=30).profile
    output = write_profile(recorded, tmp_path)
    said = printed(f"import sys; sys.argv = ['', {str(output)!r}]\n{CELLS}")
    assert said == f"2 {recorded.system.num_rows} {recorded.timeline.num_rows}"
