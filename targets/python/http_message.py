"""A request and a response, alike for HTTP/1.1 and HTTP/2."""

import re
from dataclasses import dataclass

type Fields = list[tuple[bytes, bytes]]

_ABSOLUTE_FORM = re.compile(r"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Request:
    method: str
    authority: str
    path: str
    fields: Fields

    @classmethod
    def of(cls, method: bytes, target: bytes, authority: bytes, fields: Fields) -> "Request":
        """`target` is an origin-form, or the absolute-form that every server must take (RFC 9112 §3.2.2)."""
        text, host = target.decode("latin-1"), authority.decode("latin-1")
        if absolute := _ABSOLUTE_FORM.fullmatch(text):
            host, text = absolute.groups()
        path = text.partition("?")[0]
        return cls(method.decode("latin-1"), host, path or "/", fields)

    def field_values(self, name: str) -> list[str]:
        """The value of each line of a field. Names are in lower case here; trailers are not among them."""
        return [value.decode("latin-1").strip(" \t") for key, value in self.fields if key == name.encode()]


@dataclass(frozen=True)
class Response:
    status: int
    fields: Fields
    body: bytes
