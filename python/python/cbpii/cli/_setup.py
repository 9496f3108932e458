"""What the commands work with, made of the configuration when it is needed."""

from datetime import datetime, timedelta, timezone
from functools import cached_property
from pathlib import Path

import platformdirs

from .._bank import Bank
from .._cbpii import Client, Issuer, RenewalsDue, SealedStore, SealIdentity, Session, TransportIdentity
from .._many import SessionPool
from .._results import RenewalDue
from ..errors import ConsentRequiredError, StoreError
from ._config import BankSection, Config, IdentityFiles, IssuerSection, load, of_environment, problem, store_key

FOREVER = datetime(9999, 1, 1, tzinfo=timezone.utc)


class Setup:
    """Banks, clients, the store and its sessions."""

    def __init__(self, config_file: Path | None) -> None:
        self.config: Config = load(config_file)
        self._pools: dict[str, SessionPool] = {}
        self._clients: dict[str, Client] = {}

    @property
    def pending_folder(self) -> Path:
        """Where consents wait that are being asked for."""
        return self.config.pending_folder or platformdirs.user_state_path("cbpii") / "pending"

    def bank_id(self, named: str | None) -> str:
        """The bank that is named, or the configuration's."""
        bank = named or self.config.bank
        if bank is None:
            raise problem("No bank is named: give --bank, or set 'bank' in the configuration. 'cbpii banks' lists them.")
        return bank

    def bank(self, id: str) -> Bank:
        """The record of a bank, as the configuration changes it."""
        section = self.config.banks.get(id, BankSection())
        bank = Bank.by_id(id, self.config.environment) if section.record is None else _record(section.record)
        if bank.id != id:
            raise problem(f"The record of [banks.{id}] is of the bank {bank.id!r}; use the same id.")
        if section.origin is not None:
            bank = bank.with_origin(section.origin)
        for path in section.trust_anchors:
            bank = bank.with_trust_anchor(_content(path), mode=section.trust_mode)
        return bank

    def client(self, bank_id: str) -> Client:
        """The client for a bank."""
        if bank_id not in self._clients:
            options = self.config.options
            self._clients[bank_id] = Client(
                self.bank(bank_id),
                self._issuer(bank_id),
                timeout=options.timeout,
                connect_timeout=options.connect_timeout,
                retries=options.retries,
                proxy=of_environment(options.proxy_env, "the proxy") if options.proxy_env else None,
            )
        return self._clients[bank_id]

    def _issuer(self, bank_id: str) -> Issuer:
        section = self.config.issuer
        if section is None:
            raise problem("The configuration has no [issuer], or was not found: give --config or make a cbpii.toml.")
        own = self.config.banks.get(bank_id, BankSection())
        secret = own.client_secret_env or section.client_secret_env
        return Issuer(
            client_id=own.client_id or section.client_id,
            redirect_uri=own.redirect_uri or section.redirect_uri,
            client_secret=None if secret is None else of_environment(secret, "the client secret"),
            transport=_transport(section),
            seal=_seal(section),
        )

    @cached_property
    def store(self) -> SealedStore:
        """The store of consents."""
        url = self.config.store.url
        if not url:
            raise problem("The configuration names no consent store: set 'url' in [store], for instance to consents.db.")
        is_url = "://" in url or url == "memory"
        return SealedStore(url if is_url else Path(url), key=store_key(self.config.store))

    def pool(self, bank_id: str) -> SessionPool:
        """The sessions at a bank."""
        if bank_id not in self._pools:
            days = self.config.options.renew_before_days
            self._pools[bank_id] = SessionPool(self.client(bank_id), self.store, renew_before=timedelta(days=days))
        return self._pools[bank_id]

    def any_pool(self) -> SessionPool:
        """A pool of the bank of the configuration, or of a bank a consent is kept for."""
        bank_id = self.config.bank or next(iter(self._kept_for.values()), None)
        return self.pool(self.bank_id(bank_id))

    def session(self, consent: str, bank_id: str | None = None) -> Session:
        """The session of a consent, at the bank it is kept for unless one is named."""
        if bank_id is not None:
            return self.pool(bank_id).open(consent)
        if self.config.bank is not None:
            try:
                return self.pool(self.config.bank).open(consent)
            except StoreError as error:
                if error.code != "store.bank":
                    raise
        if consent not in self._kept_for:
            raise ConsentRequiredError("consent.unknown", f"The store has no consent of the id {consent!r}.")
        return self.pool(self._kept_for[consent]).open(consent)

    def kept(self) -> list[RenewalDue | StoreError]:
        """Every consent of the store, the one that ends first before the others; an error for each that cannot be read."""
        due = self.store.renewals_due(FOREVER)
        return list(iter(lambda: _next(due), None))

    @cached_property
    def _kept_for(self) -> dict[str, str]:
        return {one.id: one.bank_id for one in self.kept() if isinstance(one, RenewalDue)}


def _next(due: RenewalsDue) -> RenewalDue | StoreError | None:
    """The next consent, or the error of the one that cannot be read; None at the end."""
    try:
        return next(due, None)
    except StoreError as error:
        if error.code not in {"store.key", "store.corrupt"}:
            raise
        return error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise problem(f"A file the configuration names cannot be read: {error}.") from error


def _record(path: Path) -> Bank:
    return Bank.from_json(_content(path))


def _password(files: IdentityFiles) -> str | None:
    return None if files.password_env is None else of_environment(files.password_env, "the password of a key")


def _transport(section: IssuerSection) -> TransportIdentity | None:
    files = section.transport
    if files is None:
        return None
    password = _password(files)
    if files.keystore is not None:
        return TransportIdentity.from_pkcs12(files.keystore, password=password or "")
    certificate, key = _two_files(files, "transport")
    return TransportIdentity(certificate, key, password=password)


def _seal(section: IssuerSection) -> SealIdentity | None:
    files = section.seal
    if files is None:
        return None
    password = _password(files)
    if files.keystore is not None:
        return SealIdentity.from_pkcs12(files.keystore, password=password or "", key_id=files.key_id)
    certificate, key = _two_files(files, "seal")
    return SealIdentity(certificate, key, password=password, key_id=files.key_id)


def _two_files(files: IdentityFiles, what: str) -> tuple[Path, Path]:
    if files.certificate is None or files.key is None:
        raise problem(f"[issuer.{what}] needs 'certificate' and 'key', or 'keystore'.")
    return files.certificate, files.key
