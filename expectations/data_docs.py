"""The pages of Data Docs, made so that they need no internet: Great Expectations takes these classes for its own.

Its own pages load styles, scripts and pictures from seven foreign hosts and name themselves to one of them; behind a
bank's firewall their start page lists nothing.
"""

from pathlib import Path
from typing import Any

from great_expectations.render.view import DefaultJinjaPageView
from jinja2 import ChoiceLoader, FileSystemLoader

_TEMPLATES = Path(__file__).parent / "templates"


class PageView(DefaultJinjaPageView):  # type: ignore[misc]
    """Every page of Data Docs, the start page too, with the templates beside this module before those it comes with."""

    def __init__(self, **directories: Any) -> None:
        """Put the templates of this room first.

        Args:
            directories: custom styles and views, as Great Expectations hands them over.
        """
        super().__init__(**directories)
        self.env.loader = ChoiceLoader([FileSystemLoader(_TEMPLATES), self.env.loader])
