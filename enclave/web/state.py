"""The page for those who keep the house: the vault's door, and which project files hold."""

from enclave.gateway import permissions
from enclave.web.page import PageHandler
from enclave.web.services import aside


class StatePage(PageHandler):
    """How the house stands, for stewards and operators; what is wrong is told as on the command line."""

    async def get(self) -> None:
        """Show it."""
        house = self.services.house
        await aside(house.allow, self.account, "see_state", permissions.check_see_state)
        self.show("state.html", door=house.door.status(), files=self.services.projects.states())
