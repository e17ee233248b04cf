"""A budget of solver work: counted in the solver's own steps, so that it ends at the same place on any machine."""


class Work:
    """How many steps of the simplex method may still be taken. `spent` counts them, also beyond the limit.

    Whoever prefers a limit by the clock gives a kind of Work whose `used_up` looks at one; the outcome is then another
    on another machine.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.limit = limit
        self.spent = 0

    def spend(self, steps: int) -> None:
        """Note work that was done; a program that took no step counts as one."""
        self.spent += max(1, steps)

    @property
    def used_up(self) -> bool:
        """Whether no more work should be begun."""
        return self.limit is not None and self.spent >= self.limit
