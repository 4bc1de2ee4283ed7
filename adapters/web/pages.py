"""The templates of the page, and the parts of it that are sent alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from adapters.web.views import AnswerView, BranchView, ExchangeView, to_why


class Pages:
    """The templates."""

    def __init__(self) -> None:
        self._environment = Environment(
            loader=PackageLoader("adapters.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, name: str, **values: object) -> str:
        """A whole page."""
        return self._environment.get_template(name).render(**values)

    def exchange(self, exchange: ExchangeView) -> str:
        """A prompt with its answers."""
        return self._part("exchange", exchange)

    def answer(self, answer: AnswerView) -> str:
        """One answer."""
        return self._part("answer", answer)

    def branch(self, branch: BranchView) -> str:
        """A step or voice."""
        return self._part("branch", branch)

    def branch_end(self, branch: BranchView) -> str:
        """What stands under a finished step or voice."""
        return self._part("branch_end", branch)

    def ending(self, answer: AnswerView) -> str:
        """What stands under a finished answer: notes, small print, buttons."""
        return self._part("ending", answer)

    def why(self, record: Mapping[str, Any]) -> str:
        """Why this model was chosen."""
        return self._part("why", record, to_why(record))

    def _part(self, name: str, *values: object) -> str:
        macros = self._environment.get_template("parts.html").module
        return str(getattr(macros, name)(*values))
