"""Start and stop: settings from the environment, the listening socket, signals."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from access_token import AccessTokenValidator
from confirmation import ConfirmationCheck
from jwk import read_jwk_set
from protected_resource import ProtectedResource
from tls_server import TlsConnection, server_context

ROLE_NOT_PLAYED = 127
GRACE = 2  # seconds


def listening_socket(where: str) -> socket.socket:
    host, _, port = where.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, int(port)), family=family, backlog=1024)


async def serve(environment: Mapping[str, str]) -> None:
    context = server_context(
        certificate_file=environment["TSBT_TLS_CERT_FILE"],
        key_file=environment["TSBT_TLS_KEY_FILE"],
        client_ca_file=environment["TSBT_CLIENT_CA_FILE"],
    )
    tokens = AccessTokenValidator(
        issuer=environment["TSBT_ISSUER"],
        audience=environment["TSBT_AUDIENCE"],
        keys=read_jwk_set(Path(environment["TSBT_JWKS_FILE"]).read_bytes()),
    )
    resource = ProtectedResource(tokens, ConfirmationCheck())

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stopped.set)

    server = await loop.create_server(
        lambda: TlsConnection(context, resource),
        sock=listening_socket(environment["TSBT_LISTEN"]),
    )
    await stopped.wait()
    server.close()
    server.close_clients()
    try:
        async with asyncio.timeout(GRACE):
            await server.wait_closed()
    except TimeoutError:
        server.abort_clients()  # of clients that do not read what is still to be sent


if __name__ == "__main__":
    if os.environ.get("TSBT_ROLE") != "resource-server":
        print("this target is a resource server only", file=sys.stderr)
        sys.exit(ROLE_NOT_PLAYED)
    asyncio.run(serve(os.environ))
