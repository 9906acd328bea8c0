"""Whether a Ray cluster can be joined, asked before Ray tries: Ray gives up after half a minute and names no reason."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

import grpc
from ray._private.services import canonicalize_bootstrap_address

from scenes.errors import shortened

# Seconds to connect, and then to answer.
_CONNECT = 4.0
_ANSWER = 6.0
_SILENT = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNIMPLEMENTED)


def running() -> str | None:
    """The address of a cluster that this machine is part of, or None.

    Ray remembers clusters that have ended without order. Such a one counts as none.
    """
    try:
        address = canonicalize_bootstrap_address("auto")
        if address is not None:
            _connect(address)
    except OSError:  # also Ray's ConnectionError where it remembers none
        return None
    return address


def knock(address: str, found: bool = False) -> None:
    """Raise OSError or ValueError, with the remedy, where no Ray answers, or not to us.

    address: HOST:PORT or ray://HOST:PORT. found: whether Ray found it by itself. Such a one is shown a token unasked,
    and another only with RAY_AUTH_MODE=token, as Ray does.
    """
    host, port = _connect(address)
    mode = os.environ.get("RAY_AUTH_MODE", "token" if found else "disabled").lower()
    token = _token() if mode == "token" else ""
    method = "ray.rpc.RayletDriver/ClusterInfo" if "://" in address else "ray.rpc.NodeInfoGcsService/CheckAlive"
    with grpc.insecure_channel(f"{host}:{port}", [("grpc.enable_http_proxy", 0)]) as channel:
        try:
            shown = [("authorization", f"Bearer {token}")] if token else None
            channel.unary_unary(f"/{method}")(b"", timeout=_ANSWER, metadata=shown)
        except grpc.RpcError as error:
            code = error.code()
        else:
            return
    if code is grpc.StatusCode.UNAUTHENTICATED:
        refused = "does not accept the token of this machine" if token else "asks for its token"
        raise OSError(
            f"the cluster {refused}; copy ~/.ray/auth_token from its head node (or set RAY_AUTH_TOKEN), "
            "and set RAY_AUTH_MODE=token"
        )
    if code in _SILENT:
        raise OSError("what listens there is no Ray; give the address that `ray start --head` told")


def _connect(address: str) -> tuple[str, int]:
    parts = urlsplit(address if "://" in address else f"ray://{address}")
    if parts.hostname is None or parts.port is None:
        raise ValueError("write auto, local, HOST:PORT or ray://HOST:PORT")
    try:
        socket.create_connection((parts.hostname, parts.port), _CONNECT).close()
    except OSError as error:
        raise OSError(f"{error.strerror or error}; give the address that `ray start --head` told") from None
    return parts.hostname, parts.port


def _token() -> str:
    """The token that Ray would show, or "". Raises OSError where its file is named and cannot be read."""
    if token := os.environ.get("RAY_AUTH_TOKEN"):
        return token.strip()
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        return Path(named or Path.home() / ".ray" / "auth_token").read_text(errors="replace").strip()
    except OSError as error:
        if named:
            raise OSError(f"RAY_AUTH_TOKEN_PATH is {shortened(named)}: {error.strerror}") from None
        return ""
