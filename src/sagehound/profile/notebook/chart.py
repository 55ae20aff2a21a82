"""A chart that shows itself in a notebook, and can be saved everywhere else."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


class Chart:
    """`figure` is the Bokeh layout; `target` the handle by which a shown one is changed, None outside of notebooks."""

    figure: Any = None
    target: Any = None

    def show(self) -> None:
        """Show it below the cell. Outside of a notebook nothing happens: `save` writes a page."""
        if not in_notebook():
            return
        from bokeh.io import output_notebook, show
        from bokeh.resources import INLINE

        # The scripts come with Bokeh, so that a notebook without a network has them as well.
        output_notebook(resources=INLINE, hide_banner=True)
        self.target = show(self.figure, notebook_handle=True)

    def push(self) -> None:
        """Bring changes to what is shown."""
        if self.target is not None:
            from bokeh.io import push_notebook

            push_notebook(handle=self.target)

    def save(self, path: str | Path) -> Path:
        """Write a page of its own, with all that it needs."""
        from bokeh.embed import file_html
        from bokeh.resources import INLINE

        page = Path(path)
        page.write_text(file_html(self.figure, INLINE, title=type(self).__name__))
        return page


def in_notebook() -> bool:
    """Whether this process answers a notebook."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return running is not None and running.has_trait("kernel")
