"""Questions to an account go in, answers in words come out; what AWS refuses to say is an answer too."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from formlens.account.session import Account, explained
from formlens.types import CallError


class State(StrEnum):
    """How something stands."""

    good = "ok"
    wait = "wait"
    """Somebody else is at it; nothing is to be done."""
    todo = "to do"
    told = "-"
    """Only told: nothing is right or wrong about it."""


@dataclass(frozen=True)
class Check:
    """One line of an answer."""

    what: str
    state: State
    text: str


Question = Callable[[Account], Iterable[Check]]


def asked(account: Account, questions: dict[str, Question]) -> Iterator[Check]:
    """The answers, in order; a question that AWS does not answer keeps no other from being asked."""
    for what, question in questions.items():
        try:
            with explained(account):
                yield from question(account)
        except CallError as error:
            yield Check(what, State.todo, str(error))
