"""The command ``cbpii``. Needs the extra: ``pip install 'cbpii[cli]'``; ``cbpii --help`` says the rest."""

import sys

__all__ = ["main"]


def main() -> None:
    """Runs the command with the arguments of this process."""
    try:
        from ._app import app
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("cbpii"):
            raise
        sys.exit(_not_installed(missing.name))
    app(prog_name="cbpii")


def _not_installed(module: str) -> int:
    sys.stderr.write(f"The command cbpii needs the module {module}, which is not installed: pip install 'cbpii[cli]'\n")
    return 2
