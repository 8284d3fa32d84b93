"""How well each column fits each place goes in; the assignment that fits best altogether comes out."""

import numpy as np
from numpy.typing import NDArray


def assign(fit: NDArray[np.float64]) -> list[int | None]:
    """For each row the column of ``fit``, shape (n, m), that it is given; None where nothing above zero is left.

    No column is given twice and the sum is the largest possible: shortest augmenting paths (Jonker and Volgenant,
    Computing 1987), with one place more for each row that stands for none.
    """
    rows, columns = fit.shape
    cost = -np.hstack([fit, np.zeros((rows, rows))])
    owner = np.full(columns + rows, -1)
    price_row, price = np.zeros(rows), np.zeros(columns + rows)
    for first in range(int(rows)):
        distance = np.full(columns + rows, np.inf)
        before = np.full(columns + rows, -1)
        done = np.zeros(columns + rows, np.bool_)
        row: int = first
        last, reached = -1, 0.0
        while True:
            through = reached + cost[row] - price_row[row] - price
            better = ~done & (through < distance)
            distance[better], before[better] = through[better], last
            last = int(np.where(done, np.inf, distance).argmin())
            reached = float(distance[last])
            done[last] = True
            if owner[last] < 0:
                break
            row = int(owner[last])
        for column in np.flatnonzero(done & (owner >= 0)).tolist():
            price_row[owner[column]] += reached - distance[column]
        price_row[first] += reached
        price[done] -= reached - distance[done]
        while last >= 0:
            previous = int(before[last])
            owner[last] = owner[previous] if previous >= 0 else first
            last = previous
    given: list[int | None] = [None] * rows
    for column, holder in enumerate(owner[:columns].tolist()):
        if holder >= 0 and fit[holder, column] > 0:
            given[holder] = column
    return given
