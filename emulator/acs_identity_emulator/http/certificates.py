"""TLS for loopback: a certificate authority of the emulator's own, for clients to trust."""

import contextlib
import os
import ssl
import tempfile

import trustme

from ..state.store import Store

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class Certificates:
    """A server certificate for loopback, and a file with the authority that signed it."""

    def __init__(self, store: Store, host: str) -> None:
        """The authority comes from the store, so that a client may trust it over restarts.

        :param host: the address that is listened on, for which the certificate holds as well.
        :raises ValueError: a certificate cannot name that host.
        """
        kept_certificate, kept_key = store.setting("ca-certificate"), store.setting("ca-key")
        if kept_certificate is None or kept_key is None:
            authority = trustme.CA(organization_name="acs-identity-emulator")
            kept_certificate = authority.cert_pem.bytes().decode("ascii")
            kept_key = authority.private_key_pem.bytes().decode("ascii")
            store.set_setting("ca-certificate", kept_certificate)
            store.set_setting("ca-key", kept_key)
        else:
            authority = trustme.CA.from_pem(kept_certificate.encode(), kept_key.encode())
        names = dict.fromkeys((*_LOOPBACK_NAMES, host))
        try:
            self._leaf = authority.issue_cert(*names)
        except UnicodeError:
            raise ValueError(f"host must be what a certificate can name, not {host!r}") from None
        descriptor, self.ca_bundle = tempfile.mkstemp(
            prefix="acs-identity-emulator-", suffix=".pem"
        )
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(kept_certificate)

    def server_context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._leaf.configure_cert(context)
        return context

    def close(self) -> None:
        """Removes the file."""
        with contextlib.suppress(OSError):
            os.unlink(self.ca_bundle)
