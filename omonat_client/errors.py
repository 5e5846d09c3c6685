"""Errors: three kinds, because a program treats them differently; `problem.code` tells which."""

import msgspec

from omonat_client.answers import Problem


class OmonatProblem(Exception):
    """The server said no. `problem` is its answer; `code` is stable for ever."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.detail}".rstrip(": "))
        self.problem = problem

    @property
    def code(self) -> str:
        """The stable code."""
        return self.problem.code


class WrongRequest(OmonatProblem):
    """The request is wrong: mend it; saying it again unchanged fails again."""


class NotAllowed(OmonatProblem):
    """The policy forbids it, or there is no such person, case or entry."""


class NotPossibleNow(OmonatProblem):
    """The server, or something it depends on, failed: try again later under the same key."""


def problem_of(status: int, body: bytes) -> OmonatProblem:
    """The error of an answer that is none."""
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        problem = Problem(code="no-problem-document", status=status)
    return error_of(problem)


def error_of(problem: Problem) -> OmonatProblem:
    """The kind of error a problem is."""
    if problem.status >= 500 or problem.status == 408:
        return NotPossibleNow(problem)
    if problem.status in (401, 403, 404, 429):
        return NotAllowed(problem)
    return WrongRequest(problem)
