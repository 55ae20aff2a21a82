"""`smdebug.profiler.analysis.utils.profiler_data_to_pandas`."""

from sagehound.profile.notebook.pandas_frame import PandasFrame

__all__ = ["PandasFrame"]
