"""What mends that something outside can't be reached, by why it can't."""

from __future__ import annotations

import smtplib
import socket
import ssl

import httpx

from tallymark.db.errors import StartupError
from tallymark.integrations.files import REFUSALS
from tallymark.integrations.webhooks import Refused

_AUTHORITY = "an authority of your own is trusted by SSL_CERT_FILE, a file of all that are"
_OWN_ADDRESS = "169.254.169.254"
"""Where a cloud tells its machines who they are: it is asked where no credentials are set."""


def remedy_of_mail(cause: BaseException | None) -> str:
    """What mends that a mail server does not let Tallymark in."""
    match cause:
        case ssl.SSLCertVerificationError():
            return f"have the server show a certificate of this name that is valid; {_AUTHORITY}"
        case smtplib.SMTPAuthenticationError():
            return "see TALLYMARK_SMTP_USERNAME and TALLYMARK_SMTP_PASSWORD"
        case ssl.SSLError() | smtplib.SMTPNotSupportedError() | smtplib.SMTPServerDisconnected():
            return "see TALLYMARK_SMTP_SECURITY and TALLYMARK_SMTP_PORT: by custom `starttls` is spoken on 587, and `tls` on 465"
        case OSError() if not isinstance(cause, smtplib.SMTPException):
            return "see TALLYMARK_SMTP_HOST, TALLYMARK_SMTP_PORT, and firewalls"
    return "see TALLYMARK_SMTP_* in `tallymark settings`"


def remedy_of_address(error: Exception) -> str:
    """What mends that the public address can't be connected to."""
    if isinstance(error, ssl.SSLError):
        return f"have the proxy there show a certificate of this name that is valid; {_AUTHORITY}"
    return "see that its name leads to the proxy, and the proxy runs; from within its network it may be out of reach: then look from without"


def remedy_of_store(error: Exception) -> str:
    """What mends that a store of another machine does not keep files."""
    said = str(error)
    match error:
        case StartupError():
            return "name a bucket or a folder that is there by TALLYMARK_FILES_URL: s3://, gs://, az:// or file://"
        case FileNotFoundError():
            return (
                "make the bucket, or name the one that there is by TALLYMARK_S3_BUCKET or TALLYMARK_FILES_URL"
            )
        case _ if isinstance(error, REFUSALS):
            return "see whose credentials they are, and let them read, write and delete objects of the bucket"
        case _ if _OWN_ADDRESS in said:
            return "this machine has no role of its cloud: set TALLYMARK_S3_ACCESS_KEY_ID and TALLYMARK_S3_SECRET_ACCESS_KEY"
    return "see TALLYMARK_FILES_URL and TALLYMARK_S3_* in `tallymark settings`, and firewalls"


def remedy_of_receiver(error: Exception) -> str:
    """What mends that a receiver of webhooks can't be connected to."""
    match error:
        case Refused():
            return "give it a public address, or set TALLYMARK_WEBHOOKS_ALLOW_PRIVATE_NETWORKS=true where only people of your own make endpoints"
        case ssl.SSLCertVerificationError():
            return f"have the receiver show a certificate of this name that is valid; {_AUTHORITY}"
        case ssl.SSLError():
            return "have the receiver speak TLS there, or make the endpoint's address http://"
        case socket.gaierror() | UnicodeError() | httpx.InvalidURL():
            return "see that the endpoint's host is spelt right, and that this machine can look names up"
    return "see that the receiver runs, and that firewalls let this machine through"
