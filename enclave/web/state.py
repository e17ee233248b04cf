"""The page for those who keep the house: the vault's door, when projects close, and which project files hold."""

from enclave.gateway import permissions
from enclave.web.page import PageHandler
from enclave.web.services import aside


class StatePage(PageHandler):
    """How the house stands, for stewards and operators; what is wrong is told as on the command line."""

    async def get(self) -> None:
        """Show it."""
        house = self.services.house
        await aside(house.allow, self.account, "see_state", permissions.check_see_state)
        terms = await aside(lambda: list(house.retention.states()))
        self.show("state.html", door=house.door.status(), terms=terms, files=self.services.projects.states())
