"""What goes over the wire and what comes back, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit


class Headers(Mapping[str, str]):
    """The headers of an answer: names in any case, repeated ones joined by ``", "``."""

    __slots__ = ("_by_name",)

    def __init__(self, pairs: Mapping[str, str] | Iterable[tuple[str, str]] = ()) -> None:
        self._by_name: dict[str, str] = {}
        for name, value in pairs.items() if isinstance(pairs, Mapping) else pairs:
            known = self._by_name.get(name.lower())
            self._by_name[name.lower()] = value if known is None else f"{known}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._by_name[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        return f"Headers({', '.join(self._by_name)})"


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, complete: ``url`` is absolute and percent-encoded, ``body`` is sent as it is."""

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)

    @property
    def host(self) -> str:
        """The host, with the port if the URL names one; nothing else of the URL, so it is fit for a message."""
        try:
            return urlsplit(self.url).netloc.rpartition("@")[2]
        except ValueError:  # not what a URL could be
            return "no host"


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """One answer, read to its end and decoded.

    ``timing`` holds what could be measured, in milliseconds with two decimals: ``dns`` and ``tls`` (new
    connections only), ``timeToFirstByte``, ``download``; and ``responseSize``, the body's bytes on the wire.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    timing: Mapping[str, float] = field(default_factory=dict)
