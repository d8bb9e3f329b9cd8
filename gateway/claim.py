"""Who may feed a stream that exists already, and as whom."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from gateway.access import same


class Claim(Enum):
    """What somebody who may feed a stream is to it."""

    NEW = "there was none of this name"
    OWNER = "brings its key"
    RETURNED = "published it before, as encoders do, which bring no key"
    SUCCESSOR = "somebody else, whom the operator trusts"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks to feed a stream."""

    key: str | None = None
    trusted: bool = False
    """Whether the operator's token was brought."""
    identity: str | None = None
    """Of somebody who brings no key and cannot remember one: what tells that it is them again, see
    `gateway.access.Access.identity`."""

    def claims(
        self, key: str, before: str | None, *, free: bool, silent: bool = False
    ) -> Claim | None:
        """What the caller is to a stream with this `key`, last fed by somebody whose identity was
        `before`; `None` for somebody who may not feed it.

        `free` says that nobody feeds it now; `silent`, that somebody does from whom no video comes.
        An encoder that was killed said no goodbye, and is back before its session ends by itself.
        """
        if self.key is not None:
            return Claim.OWNER if same(self.key, key) else None
        known = self.identity is not None and before is not None and same(self.identity, before)
        if known and (free or silent):
            return Claim.RETURNED
        return Claim.SUCCESSOR if self.trusted and free else None
