"""Asks the glasses, in a worker thread: a slow answer delays no other request of the phone."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import anyio.to_thread
import msgspec

from cuelens.link import client
from cuelens.link.replies import Done, Glasses, Profiles, Reply
from cuelens.link.requests import Draft, ReadProfile, Request, Watch
from cuelens_models.errors import BadInput

_AT_ONCE: Final = 3
"""Requests under way. The glasses serve four, and one place stays free for the commands."""
T = TypeVar("T", bound=Reply)
R = TypeVar("R")


class GlassesClient:
    """Asks the glasses at some paths. Errors are those of `cuelens.link.client.exchange`."""

    def __init__(self, paths: Sequence[Path]) -> None:
        """Ask at the first path that answers."""
        self._paths = tuple(paths)
        self._limiter: anyio.CapacityLimiter | None = None

    def ask_now(self, request: Request) -> Reply:
        """Ask, and block until the answer."""
        return client.exchange(request, self._paths)

    async def ask(self, request: Request, kind: type[T]) -> T:
        """Ask, and return the answer. Raises BadInput if it is of another kind."""
        reply = await self.run(self.ask_now, request)
        if not isinstance(reply, kind):
            raise BadInput(f"the glasses answered with {type(reply).__name__} in place of {kind.__name__}")
        return reply

    async def run(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call what blocks, in a worker thread."""
        if self._limiter is None:
            self._limiter = anyio.CapacityLimiter(_AT_ONCE)
        return await anyio.to_thread.run_sync(function, *arguments, limiter=self._limiter)

    async def do(self, request: Request) -> str:
        """Ask for something that is answered by a sentence, and return it."""
        return (await self.ask(request, Done)).text

    async def watch(self, since: int = 0) -> Glasses:
        """Return the state of the glasses, with what happened since."""
        return await self.ask(Watch(since=since), Glasses)

    async def profiles(self) -> Profiles:
        """Return the profile in force, and the names of the others."""
        return await self.ask(ReadProfile(), Profiles)

    async def profile(self) -> dict[str, Any]:
        """Return the profile in force as a JSON object."""
        found: dict[str, Any] = msgspec.json.decode((await self.profiles()).profile)
        return found

    async def draft(self, profile: dict[str, Any]) -> str:
        """Put a profile into force as the draft."""
        return await self.do(Draft(profile=msgspec.Raw(msgspec.json.encode(profile))))
