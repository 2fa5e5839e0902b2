"""One source for threads and for tasks: flows, and the two drivers that carry them out.

A flow is a generator that yields the steps it needs (a request, a pause, a lock) and returns a result. It does no
input or output itself. `Blocking` objects run their flows in the calling thread, `Awaiting` objects return coroutines.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, update_wrapper
from typing import Any, Concatenate, Generic, ParamSpec, Self, TypeAlias, TypeVar, cast, overload

import httpx

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Request:
    """A request to send. Its result is the httpx.Response; without one, httpx.TransportError is raised at the yield."""

    method: str
    url: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    json: object = None
    form: Mapping[str, str] | None = None
    files: tuple[tuple[str, tuple[str | None, bytes, str]], ...] = ()
    timeout: float = 30.0

    def options(self) -> dict[str, Any]:
        """Return the arguments for httpx's `request`."""
        body: dict[str, Any] = {"files": list(self.files)} if self.files else {}
        if self.json is not None:
            body = {"json": self.json}
        if self.form is not None:
            body = {"data": dict(self.form)}
        return {
            "method": self.method,
            "url": self.url,
            "params": list(self.query) or None,
            "headers": dict(self.headers),
            "timeout": self.timeout,
            "follow_redirects": False,
            **body,
        }


@dataclass(frozen=True)
class Pause:
    """A wait of at least so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Acquire:
    """A wait for a lock. The flow releases it."""

    lock: threading.Lock | asyncio.Lock


Step: TypeAlias = Request | Pause | Acquire
Flow: TypeAlias = Generator[Step, Any, T]


class Clock:
    """The time, and waiting. Tests give a clock of their own."""

    def wall(self) -> float:
        """Return the seconds since 1970."""
        return time.time()

    def monotonic(self) -> float:
        """Return the seconds of a clock that is never set."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait in this thread."""
        time.sleep(seconds)

    async def sleep_async(self, seconds: float) -> None:
        """Wait in this task."""
        await asyncio.sleep(seconds)


class BlockingDriver:
    """Runs flows in the calling thread. Any number of threads can share it."""

    def __init__(self, http: httpx.Client, clock: Clock) -> None:
        self.http = http
        self.clock = clock

    def lock(self) -> threading.Lock:
        """Return a lock for `Acquire`."""
        return threading.Lock()

    def run(self, flow: Flow[T]) -> T:
        """Carry out a flow and return its result."""
        go: Callable[[], Step] = partial(next, flow)
        while True:
            try:
                step = go()
            except StopIteration as end:
                result: T = end.value
                return result
            try:
                go = partial(flow.send, self._carry_out(step))
            except BaseException as error:
                go = partial(flow.throw, error)

    def _carry_out(self, step: Step) -> httpx.Response | None:
        match step:
            case Request():
                return self.http.request(**step.options())
            case Pause():
                self.clock.sleep(step.seconds)
            case Acquire(lock):
                cast(threading.Lock, lock).acquire()
        return None


class AwaitingDriver:
    """Runs flows in the calling task, all in one event loop."""

    def __init__(self, http: httpx.AsyncClient, clock: Clock) -> None:
        self.http = http
        self.clock = clock

    def lock(self) -> asyncio.Lock:
        """Return a lock for `Acquire`."""
        return asyncio.Lock()

    async def run(self, flow: Flow[T]) -> T:
        """Carry out a flow and return its result."""
        go: Callable[[], Step] = partial(next, flow)
        while True:
            try:
                step = go()
            except StopIteration as end:
                result: T = end.value
                return result
            try:
                go = partial(flow.send, await self._carry_out(step))
            except BaseException as error:
                go = partial(flow.throw, error)

    async def _carry_out(self, step: Step) -> httpx.Response | None:
        match step:
            case Request():
                return await self.http.request(**step.options())
            case Pause():
                await self.clock.sleep_async(step.seconds)
            case Acquire(lock):
                await cast(asyncio.Lock, lock).acquire()
        return None


class Blocking:
    """An object whose operations return their results."""

    _driver: BlockingDriver


class Awaiting:
    """An object whose operations return coroutines."""

    _driver: AwaitingDriver


class BlockingClient(Blocking):
    """A client that has connections of its own. `with` closes them."""

    def close(self) -> None:
        """Close the connections."""
        self._driver.http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AwaitingClient(Awaiting):
    """A client that has connections of its own. `async with` closes them."""

    async def close(self) -> None:
        """Close the connections."""
        await self._driver.http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.close()


class operation(Generic[P, T]):
    """A method written as a flow: called on a `Blocking` object it returns the result, else a coroutine of it."""

    def __init__(self, flow: Callable[Concatenate[Any, P], Flow[T]]) -> None:
        self._flow = flow
        self.__doc__ = flow.__doc__

    @overload
    def __get__(self, instance: Blocking, owner: type | None = None) -> Callable[P, T]: ...
    @overload
    def __get__(self, instance: Awaiting, owner: type | None = None) -> Callable[P, Coroutine[Any, Any, T]]: ...
    @overload
    def __get__(self, instance: None, owner: type | None = None) -> operation[P, T]: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self

        def run(*given: P.args, **named: P.kwargs) -> Any:
            return instance._driver.run(self._flow(instance, *given, **named))

        return update_wrapper(run, self._flow)


Part: TypeAlias = tuple[list[T], str | None]
"""Entries of a list, and the cursor of the next part (None at the end)."""


class listing(Generic[P, T]):
    """A method that returns a function from a cursor to the flow of a part: called, it returns an iterator."""

    def __init__(self, parts: Callable[Concatenate[Any, P], Callable[[str | None], Flow[Part[T]]]]) -> None:
        self._parts = parts
        self.__doc__ = parts.__doc__

    @overload
    def __get__(self, instance: Blocking, owner: type | None = None) -> Callable[P, Entries[T]]: ...
    @overload
    def __get__(self, instance: Awaiting, owner: type | None = None) -> Callable[P, AsyncEntries[T]]: ...
    @overload
    def __get__(self, instance: None, owner: type | None = None) -> listing[P, T]: ...
    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        driver: Any = instance._driver
        kind: Any = Entries if isinstance(instance, Blocking) else AsyncEntries

        def begin(*given: P.args, **named: P.kwargs) -> Any:
            # The cursor is an argument of each list. The function that reads a part gets the present one.
            cursor: Any = named.get("cursor")
            return kind(driver, self._parts(instance, *given, **named), cursor)

        return update_wrapper(begin, self._parts)


class Position:
    """A place in a list: `cursor` resumes the list behind the last entry that was handed out, `finished` at its end.

    A cursor is that of a part, as the server gives it, with the key of the last entry before it if the part has more.
    """

    def __init__(self, cursor: str | None) -> None:
        last, _, start = (cursor or "").rpartition(" ")
        self._last: str | None = last or None
        self._start: str | None = start or None
        self.finished = False

    @property
    def cursor(self) -> str | None:
        """The position of the next entry; None at the beginning and at the end."""
        return self._start if self._last is None else f"{self._last} {self._start or ''}"

    def _left(self, entries: Sequence[T]) -> Sequence[T]:
        """Return the entries of a part behind the last one; all if the part does not have that one."""
        keys = [_key(each) for each in entries]
        return entries[keys.index(self._last) + 1 :] if self._last in keys else entries

    def _handed_out(self, entry: object) -> None:
        self._last = _key(entry)

    def _move(self, following: str | None) -> None:
        self._last = None
        self._start = following
        self.finished = following is None


def _key(entry: Any) -> str:
    key: str = entry["contentUri"] if "contentUri" in entry else entry["id"]
    return key


class Entries(Position, Generic[T]):
    """Iterates over a list, and reads part after part. `parts` gives whole parts. `cursor` resumes it later."""

    def __init__(self, driver: BlockingDriver, read: Callable[[str | None], Flow[Part[T]]], cursor: str | None) -> None:
        super().__init__(cursor)
        self._read: Callable[[], Part[T]] = lambda: driver.run(read(self._start))

    def parts(self) -> Iterator[list[T]]:
        """Iterate over the parts; with each, `cursor` is that of the next."""
        while not self.finished:
            entries, following = self._read()
            left = self._left(entries)
            self._move(following)
            yield list(left)

    def __iter__(self) -> Iterator[T]:
        while not self.finished:
            entries, following = self._read()
            for entry in self._left(entries):
                self._handed_out(entry)
                yield entry
            self._move(following)


class AsyncEntries(Position, Generic[T]):
    """The same as `Entries`, with `async for`."""

    def __init__(self, driver: AwaitingDriver, read: Callable[[str | None], Flow[Part[T]]], cursor: str | None) -> None:
        super().__init__(cursor)
        self._read: Callable[[], Coroutine[Any, Any, Part[T]]] = lambda: driver.run(read(self._start))

    async def parts(self) -> AsyncIterator[list[T]]:
        """Iterate over the parts; with each, `cursor` is that of the next."""
        while not self.finished:
            entries, following = await self._read()
            left = self._left(entries)
            self._move(following)
            yield list(left)

    async def __aiter__(self) -> AsyncIterator[T]:
        while not self.finished:
            entries, following = await self._read()
            for entry in self._left(entries):
                self._handed_out(entry)
                yield entry
            self._move(following)
