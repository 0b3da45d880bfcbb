"""What invoices say of accounts to send money to, in the words of each language that documents have."""

from __future__ import annotations

from collections.abc import Sequence

from tallymark.rooms.payment_providers.model import BankAccount

_FIELDS = (
    "account_holder",
    "account_holder_address",
    "iban",
    "bic",
    "sort_code",
    "account_number",
    "routing_number",
    "swift_code",
    "clabe",
    "account_type",
    "bank_name",
    "bank_code",
    "branch_name",
    "branch_code",
    "bank_address",
)
"""In the order in which somebody fills in a form."""

_EVERYWHERE = {
    "iban": "IBAN",
    "bic": "BIC",
    "sort_code": "Sort code",
    "routing_number": "Routing number (ABA)",
    "swift_code": "SWIFT",
    "clabe": "CLABE",
}
"""What is called so whatever the language: a bank's form has these words."""

_TRANSLATED = (
    "heading", "account_holder", "account_holder_address", "account_number", "account_type", "bank_name", "bank_code",
    "branch_name", "branch_code", "bank_address",
)  # fmt: skip

_WORDS = {
    "en": (
        "Bank transfer", "Account holder", "Account holder's address", "Account number", "Account type", "Bank",
        "Bank code", "Branch", "Branch code", "Bank's address",
    ),
    "fr": (
        "Virement bancaire", "Titulaire du compte", "Adresse du titulaire", "Numéro de compte", "Type de compte",
        "Banque", "Code banque", "Agence", "Code agence", "Adresse de la banque",
    ),
    "nb": (
        "Bankoverføring", "Kontoinnehaver", "Kontoinnehaverens adresse", "Kontonummer", "Kontotype", "Bank", "Bankkode",
        "Filial", "Filialkode", "Bankens adresse",
    ),
    "de": (
        "Überweisung", "Kontoinhaber", "Anschrift des Kontoinhabers", "Kontonummer", "Kontoart", "Bank", "Bankleitzahl",
        "Filiale", "Filialnummer", "Anschrift der Bank",
    ),
    "it": (
        "Bonifico bancario", "Intestatario del conto", "Indirizzo dell'intestatario", "Numero di conto", "Tipo di conto",
        "Banca", "Codice della banca", "Filiale", "Codice della filiale", "Indirizzo della banca",
    ),
    "es": (
        "Transferencia bancaria", "Titular de la cuenta", "Dirección del titular", "Número de cuenta", "Tipo de cuenta",
        "Banco", "Código del banco", "Sucursal", "Código de la sucursal", "Dirección del banco",
    ),
    "sv": (
        "Banköverföring", "Kontoinnehavare", "Kontoinnehavarens adress", "Kontonummer", "Kontotyp", "Bank", "Bankkod",
        "Kontor", "Kontorskod", "Bankens adress",
    ),
    "pt-BR": (
        "Transferência bancária", "Titular da conta", "Endereço do titular", "Número da conta", "Tipo de conta", "Banco",
        "Código do banco", "Agência", "Código da agência", "Endereço do banco",
    ),
    "ja": (
        "銀行振込", "口座名義", "口座名義人の住所", "口座番号", "口座種別", "銀行名", "銀行コード", "支店名", "支店コード", "銀行の住所",
    ),
    "zh-TW": (
        "銀行轉帳", "戶名", "帳戶持有人地址", "帳號", "帳戶類型", "銀行", "銀行代碼", "分行", "分行代碼", "銀行地址",
    ),
}  # fmt: skip


def heading(locale: str) -> str:
    """What a section is headed that tells how to send money.

    >>> heading("de"), heading("xx")
    ('Überweisung', 'Bank transfer')
    """
    return _words(locale)["heading"]


def describe(accounts: Sequence[BankAccount], locale: str) -> str:
    """Accounts to send money to, any of them: a line for each thing that a bank's form asks for.

    >>> print(describe([{"iban": "DE02", "bic": "X", "account_holder": "Acme"}, {"clabe": "1"}], "fr"))
    Titulaire du compte: Acme
    IBAN: DE02
    BIC: X
    <BLANKLINE>
    CLABE: 1
    """
    words = {**_EVERYWHERE, **_words(locale)}
    told = [[f"{words[name]}: {one[name]}" for name in _FIELDS if one.get(name)] for one in accounts]
    return "\n\n".join("\n".join(lines) for lines in told if lines)


def _words(locale: str) -> dict[str, str]:
    return dict(zip(_TRANSLATED, _WORDS.get(locale, _WORDS["en"]), strict=True))
