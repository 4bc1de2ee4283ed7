"""A turn as server-sent events: for the page in HTML, for scripts as plain text."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator

from starlette.responses import StreamingResponse

from adapters.web.delivery import BranchProgress, Progress
from adapters.web.markdown import Change, GrowingText
from adapters.web.pages import Pages
from adapters.web.parts import WebParts
from adapters.web.startup import StageState
from adapters.web.views import to_answer, to_branch, to_branch_json, to_json, to_markup
from bot.settings import FooterStyle
from bot.turns import Turn

PAGE_PAUSE_S = 0.04
"""How long a page rests between two steps, so that text comes smoothly and cheaply."""
_RENDER_SHARE = 5
"""A page rests this many times as long as rendering took."""
LIFE = ": still here\n\n"


def event(name: str, data: object) -> str:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def stream(events: AsyncIterator[str]) -> StreamingResponse:
    """A response that sends events as they come."""
    return StreamingResponse(
        events, media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


async def for_script(parts: WebParts, turn_id: str) -> AsyncIterator[str]:
    """`status`, `text` (a further piece), `reset` (the answer begins anew), then one `end`.

    In between, for each step of a debate or voice of an ensemble: `branch`, `branch_text`, then
    one `branch_end`.
    """
    seen = Progress()
    async for progress in parts.delivery.watch(turn_id, parts.store):
        said = list(_plain_steps(seen, progress))
        for step in said or [LIFE]:
            yield step
        seen = progress


def _plain_steps(seen: Progress, now: Progress) -> Iterator[str]:
    shown = seen.text
    if now.attempt != seen.attempt and shown:
        shown = ""
        yield event("reset", {})
    yield from _branch_steps(seen if now.attempt == seen.attempt else Progress(), now)
    if now.status != seen.status and now.status:
        yield event("status", {"text": now.status})
    if now.text.startswith(shown) and len(now.text) > len(shown):
        yield event("text", {"text": now.text[len(shown) :]})
    if now.ended:
        yield event("end", to_json(now.ended))


def _branch_steps(seen: Progress, now: Progress) -> Iterator[str]:
    known = {branch.name: branch for branch in seen.branches}
    for branch in now.branches:
        before = known.get(branch.name, BranchProgress(name=branch.name, label=branch.label))
        about = {"name": branch.name}
        if branch.name not in known:
            yield event("branch", {**about, "label": branch.label})
        if len(branch.text) > len(before.text) and branch.text.startswith(before.text):
            yield event("branch_text", {**about, "text": branch.text[len(before.text) :]})
        if branch.is_over and not before.is_over:
            yield event("branch_end", {**about, **to_branch_json(branch.reply, branch.notice)})


class PageStream:
    """What one open page is told of one turn."""

    def __init__(self, parts: WebParts, pages: Pages, style: FooterStyle) -> None:
        self._parts = parts
        self._pages = pages
        self._style = style

    async def events(self, turn_id: str) -> AsyncIterator[str]:
        """`status`, `blocks` (keep some, replace the rest), then one `end`."""
        growing, seen, status = GrowingText(), Progress(), ""
        branches = _PageBranches(self._pages, self._style)
        async for progress in self._parts.delivery.watch(turn_id, self._parts.store):
            began = time.monotonic()
            if progress.attempt != seen.attempt:
                growing, branches = GrowingText(), _PageBranches(self._pages, self._style)
            steps = [*branches.steps(progress), *self._steps(growing, seen, progress)]
            if (words := self._status(progress)) != status:
                status = words
                steps.insert(0, event("status", {"text": status}))
            for step in steps or [LIFE]:
                yield step
            seen = progress
            await asyncio.sleep(max(PAGE_PAUSE_S, _RENDER_SHARE * (time.monotonic() - began)))

    def _status(self, progress: Progress) -> str:
        if progress.text or self._parts.stages.is_ready():
            return progress.status
        stages = self._parts.stages.stages()
        loading = ", ".join(s.name for s in stages if s.state is StageState.WORKING)
        return f"Still starting ({loading}). Your prompt waits" if loading else progress.status

    def _steps(self, growing: GrowingText, seen: Progress, now: Progress) -> Iterator[str]:
        if now.ended:
            if now.ended.reply or now.ended.is_refused:
                yield _blocks(growing.end(now.text or now.ended.notice))
            yield event("end", self._end(now.ended))
        elif now.text != seen.text or now.attempt != seen.attempt:
            yield _blocks(growing.show(now.text))

    def _end(self, turn: Turn) -> dict[str, object]:
        answer = to_answer(turn, self._style)
        return {"status": answer.status.value, "html": self._pages.ending(answer)}


class _PageBranches:
    """What one open page was told of a turn's further messages."""

    def __init__(self, pages: Pages, style: FooterStyle) -> None:
        self._pages = pages
        self._style = style
        self._growing: dict[str, GrowingText] = {}
        self._seen: dict[str, BranchProgress] = {}

    def steps(self, now: Progress) -> Iterator[str]:
        """`branch` (a new one), `branch_blocks` (its text), then its `branch_end`."""
        for branch in now.branches:
            before = self._seen.get(branch.name)
            if before is None:
                yield event("branch", {"name": branch.name, "html": self._opening(branch)})
            if before is not branch:
                yield from self._changed(branch)
            self._seen[branch.name] = branch

    def _changed(self, branch: BranchProgress) -> Iterator[str]:
        growing = self._growing.setdefault(branch.name, GrowingText())
        change = growing.end(branch.text) if branch.is_over else growing.show(branch.text)
        shown = {"keep": change.keep, "blocks": to_markup(change.blocks)}
        yield event("branch_blocks", {"name": branch.name, **shown})
        if branch.is_over:
            view = to_branch(branch.name, branch.label, branch.reply, branch.notice, self._style)
            yield event("branch_end", {"name": branch.name, "html": self._pages.branch_end(view)})

    def _opening(self, branch: BranchProgress) -> str:
        return self._pages.branch(to_branch(branch.name, branch.label, None, "", self._style))


def _blocks(change: Change) -> str:
    return event("blocks", {"keep": change.keep, "blocks": to_markup(change.blocks)})
