"""Documented path of the client API as an ASGI application, which a host mounts in its own server."""

from statek.worker.mount import ClientApp, Identity, client_app

__all__ = ["ClientApp", "Identity", "client_app"]
