"""Which replies of the engine belong to which answer, for those who name an answer later."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from bise.serve.keys import digest_of, presented_by


class ReplyNames:
    """Running replies by the id of their answer, and by that of their request.

    The engine knows its requests by names of ours: two clients may choose the same one. What a
    client calls an answer means something only together with that client's key.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Sequence[str]] = {}

    @asynccontextmanager
    async def known(
        self, owner: str, names: Sequence[str], replies: Sequence[str]
    ) -> AsyncIterator[None]:
        """Remember an answer as long as it is being written; the newest of a name is meant."""
        for name in names:
            self._known[owner, name] = replies
        try:
            yield
        finally:
            for name in names:
                if self._known.get((owner, name)) is replies:  # a newer answer keeps its name
                    del self._known[owner, name]

    def of(self, owner: str, name: str) -> Sequence[str]:
        return self._known.get((owner, name), ())


def owner_of(headers: Mapping[str, str]) -> str:
    """Whose request it is: a digest of the key that came with it, whether or not one is needed."""
    return digest_of(next(iter(presented_by(headers)), ""))
