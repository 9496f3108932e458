"""``python -m cbpii`` is the command ``cbpii``."""

from .cli import main

main()
