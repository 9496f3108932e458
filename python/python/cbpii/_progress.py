"""A progress bar where a person looks on, if tqdm is installed."""

import sys
import warnings
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any


@contextmanager
def progress_bar(total: int, wanted: bool | None) -> Generator[Callable[[], object], None, None]:
    """Gives a function that counts one more. ``wanted`` None shows the bar on a terminal and in a notebook only."""
    tqdm = _tqdm() if wanted or (wanted is None and _someone_looks_on()) else None
    if tqdm is None:
        yield lambda: None
        return
    with tqdm(total=total, unit="check", dynamic_ncols=True) as bar:
        yield bar.update


def _someone_looks_on() -> bool:
    return _in_notebook() or (sys.stderr is not None and sys.stderr.isatty())


def _in_notebook() -> bool:
    # What a notebook's kernel has put into the interpreter, and nothing else has.
    kernel = sys.modules.get("ipykernel")
    shell: Any = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return kernel is not None and type(shell).__name__ == "ZMQInteractiveShell"


def _tqdm() -> Any:
    with warnings.catch_warnings():
        # A notebook without ipywidgets gets a bar of text: no reason to warn.
        warnings.simplefilter("ignore")
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return None
    return tqdm
