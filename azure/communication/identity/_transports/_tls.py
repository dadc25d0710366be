"""TLS contexts, from the options of a transport."""

import os
import ssl
from collections.abc import Callable
from typing import Any

from ._failures import InvalidSettingError


def configured(
    new_context: Callable[[], ssl.SSLContext],
    load_default: Callable[[ssl.SSLContext], object],
    verify: bool | str,
    cert: Any,
) -> ssl.SSLContext:
    """A new context.

    :param new_context: Makes an empty context.
    :param load_default: Loads the certificate authorities to trust by default.
    :param verify: Whether to verify certificates, or against which CA bundle.
    :param cert: A client certificate: a file, or a certificate, a key and the key's password.
    :raises InvalidSettingError: If a file is missing or malformed.
    """
    context = new_context()
    if verify is True:
        load_default(context)
    elif verify:
        place = "capath" if os.path.isdir(verify) else "cafile"
        what = (
            f"the CA bundle {verify!r} (connection_verify, or the variable REQUESTS_CA_BUNDLE or "
            "CURL_CA_BUNDLE)"
        )
        _load(what, (verify,), lambda: context.load_verify_locations(**{place: str(verify)}))
    else:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if cert:
        files: Any = (cert,) if isinstance(cert, str | os.PathLike) else tuple(cert)
        what = f"the client certificate {tuple(map(str, files[:2]))} (connection_cert)"
        _load(what, files[:2], lambda: context.load_cert_chain(*files))
    return context


def _load(what: str, files: tuple[Any, ...], load: Callable[[], object]) -> None:
    for file in filter(None, files):
        if not os.path.exists(file):
            raise InvalidSettingError(f"{what}: {str(file)!r} does not exist.")
    try:
        load()
    except (OSError, ValueError, TypeError) as error:
        reason = getattr(error, "reason", None) or getattr(error, "strerror", None)
        raise InvalidSettingError(f"{what} could not be loaded: {reason or 'malformed'}.") from None
