"""Coalescing: concurrent questions share one statement (facts: a read shared by many costs less than a plain one).

While one statement runs, further questions gather; the next statement takes them together, and a second one beside
it starts only once a whole batch waits: two half-full statements cost more than a full one. Nothing is cached: each
statement reads the state of its own time, after every question in it was asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Coalescer(Generic[Question, Answer]):
    """Answers single questions by asking for many at once.

    `ask` takes up to `limit` questions and returns as many answers in the same order; an answer that is an exception
    is raised for its question alone, an exception that `ask` raises is raised for all of its questions. `lanes`
    statements may run at the same time.
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Question]], Awaitable[Sequence[Answer | Exception]]],
        *,
        limit: int = 64,
        lanes: int = 2,
    ) -> None:
        self._ask = ask
        self._limit = limit
        self._lanes = lanes
        self._running = 0
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def __call__(self, question: Question) -> "asyncio.Future[Answer]":
        """The answer to one question, to be awaited. Raises what `ask` gave or raised for it."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, future))
        if self._running == 0 or (self._running < self._lanes and len(self._waiting) >= self._limit):
            self._running += 1
            task = asyncio.create_task(self._drain())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return future

    async def _drain(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting[: self._limit], self._waiting[self._limit :]
                await self._answer(batch)
        finally:
            self._running -= 1

    async def _answer(self, batch: list[tuple[Question, "asyncio.Future[Answer]"]]) -> None:
        try:
            answers = await self._ask([question for question, _ in batch])
            if len(answers) != len(batch):
                raise RuntimeError("each question has one answer")
        except BaseException as error:
            for _, future in batch:
                if not future.done():
                    future.set_exception(error if isinstance(error, Exception) else asyncio.CancelledError())
            if not isinstance(error, Exception):
                raise
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if future.done():
                continue  # the asker went away
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
