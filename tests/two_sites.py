"""Two sites whose transfers are counted together, as somebody would who pays for all of them."""

from __future__ import annotations

from cli.demosite.ledger import Ledger
from cli.demosite.site import Site


class _Shared(Ledger):
    """A site's ledger that counts its transfers into another one, too."""

    def __init__(self, together: Ledger) -> None:
        super().__init__()
        self._together = together

    def admit(self, at_most: int | None) -> bool:
        return super().admit(at_most) and self._together.admit(None)

    def dismiss(self) -> None:
        self._together.dismiss()
        super().dismiss()


def counted_together(*sites: Site) -> Ledger:
    """From now on each of the sites counts its own transfers, and the ledger that is returned those of all."""
    together = Ledger()
    for site in sites:
        site.ledger = _Shared(together)
    return together
