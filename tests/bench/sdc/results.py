"""What tools made of a system."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tried:
    """One tool on one system. `failure`: why there is no pattern; then the figures are nothing."""

    tool: str
    seconds: float
    secondary: int = 0
    lost: float = 0.0
    unproven: int = 0
    failure: str = ""


@dataclass(frozen=True)
class Result:
    """All tools on one system."""

    name: str
    cells: int
    primary: int
    bound: int
    engine: Tried
    peer: Tried

    @property
    def gap(self) -> float:
        """How far the engine may be above the least number possible, as a share of its own."""
        return (self.engine.secondary - self.bound) / self.engine.secondary if self.engine.secondary else 0.0

    @property
    def ratio(self) -> float | None:
        """The engine's secondary cells for each of the peer's."""
        return None if self.peer.failure or not self.peer.secondary else self.engine.secondary / self.peer.secondary
