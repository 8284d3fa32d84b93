"""Work and what it is to be done on go in; results come out in order, several of them made at a time.

Threads, for what takes long (pictures, the network) does not hold Python's lock. Little is in memory at once: what is
done waits until it is asked for, and nothing more is begun meanwhile.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def abreast(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """``work`` of each item, in their order; what it raises comes out in its turn. One thread is none of its own."""
    if threads == 1:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(threads) as pool:
        begun: deque[Future[Result]] = deque()
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > threads:  # one more, so that no thread waits
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
