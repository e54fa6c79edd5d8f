"""How sure a count of rare events is."""


def count_interval(count: int) -> tuple[float, float]:
    """Return the 95 % interval of the mean of a Poisson count (Byar's approximation): no event is no proof of none."""

    def end(n: int, z: float) -> float:
        return n * (1 - 1 / (9 * n) + z / (3 * n**0.5)) ** 3 if n else 0.0

    return end(count, -1.96), end(count + 1, 1.96)
