"""What the operator of a machine allows and knows; never part of a playbook."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricsSource:
    """A Prometheus by name; its files hold the credentials, and only this source ever gets them.

    *insecure* allows credentials to travel over plain http.
    """

    name: str
    url: str
    token_file: str | None = None
    basic_auth_file: str | None = None
    headers_file: str | None = None
    ca_file: str | None = None
    insecure: bool = False

    @property
    def has_credentials(self) -> bool:
        """Whether a query to this source carries a secret."""
        return any((self.token_file, self.basic_auth_file, self.headers_file))


@dataclass(frozen=True, slots=True)
class Config:
    """The operator's settings; *file* is where they were, or would be, read.

    *exec_plugins* are the absolute paths of the credential plugins that a kubeconfig may start,
    *insecure_servers* the API servers whose certificate may go unverified.
    """

    file: str
    prometheus: tuple[MetricsSource, ...] = ()
    exec_plugins: tuple[str, ...] = ()
    insecure_servers: tuple[str, ...] = ()

    def source(self, name: str) -> MetricsSource | None:
        """The metrics source called *name*, if there is one."""
        return next((source for source in self.prometheus if source.name == name), None)
