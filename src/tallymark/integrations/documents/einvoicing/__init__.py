"""Electronic invoices: UBL 2.1 files, and UN/CEFACT CII inside of the PDF (invoicing §15.1)."""

from tallymark.integrations.documents.einvoicing.cii import write_cii
from tallymark.integrations.documents.einvoicing.ubl import write_receipt, write_ubl

__all__ = ["write_cii", "write_receipt", "write_ubl"]
