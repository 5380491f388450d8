"""Real brokers set up as the providers do: Heroku's add-on, and a login by SASL over TLS."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ResourcePattern,
    ResourceType,
)

from servers.kafka_broker import QUICK, KafkaBroker
from tests.support.certificates import Authority, Certificate

PREFIX = "columbia-68051."
"""As KAFKA_PREFIX of a multi-tenant plan."""

USER, SCRAM_PASSWORD, PLAIN_PASSWORD = "shop", "s3cret-scram", "s3cret-plain"
_LOGIN = "org.apache.kafka.common.security"


def _tls(folder: Path, certificate: Certificate) -> dict[str, str]:
    store = folder / "broker.pem"
    store.write_text(certificate.key_pem + certificate.pem)
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(store)}


@dataclass(frozen=True, slots=True)
class HerokuKafka:
    """A broker as Apache Kafka on Heroku runs it (Heroku Dev Center): every client needs a
    certificate of the add-on's own authority, the brokers' certificates do not name their hosts,
    and no client may make topics."""

    broker: KafkaBroker
    authority: Authority
    folder: Path

    @classmethod
    def make(cls, folder: Path) -> HerokuKafka:
        """Not started yet."""
        authority = Authority(folder, "ca-e23d6c12")
        extra = {
            **_tls(folder, authority.sign("x7f3a9c2")),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(authority.certificate.path),
            "ssl.client.auth": "required",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",  # The tests' own plain listener.
        }
        return cls(KafkaBroker("SSL", extra, jvm=QUICK), authority, folder)

    def environ(self, client: str, prefix: str = "") -> dict[str, str]:
        """What the add-on sets for the app `client`: several brokers, PEM text, a prefix."""
        certificate = self.authority.sign(client)
        return {
            # The second broker is down: an add-on's list outlives one of its nodes.
            "KAFKA_URL": f"{self.broker.url},kafka+ssl://127.0.0.1:1",
            "KAFKA_TRUSTED_CERT": self.authority.certificate.pem,
            "KAFKA_CLIENT_CERT": certificate.pem,
            "KAFKA_CLIENT_CERT_KEY": certificate.key_pem,
            "KAFKA_PREFIX": prefix,
        }

    def allow_dedicated(self, client: str) -> None:
        """The published policy of dedicated plans (Heroku changelog item 1663)."""
        acl = ACLOperation
        self._allow(client, ResourceType.TOPIC, "*", (acl.READ, acl.WRITE, acl.DESCRIBE))
        self._allow(client, ResourceType.GROUP, "*", (acl.READ, acl.DESCRIBE, acl.DELETE))

    def allow_tenant(self, client: str, groups: Sequence[str] = ()) -> None:
        """A multi-tenant plan: topics under the prefix, and groups made by command."""
        acl = ACLOperation
        topics = (acl.READ, acl.WRITE, acl.DESCRIBE)
        self._allow(client, ResourceType.TOPIC, PREFIX, topics, ACLResourcePatternType.PREFIXED)
        for group in groups:
            self._allow(client, ResourceType.GROUP, PREFIX + group, (acl.READ, acl.DESCRIBE))

    def _allow(
        self,
        client: str,
        kind: ResourceType,
        name: str,
        operations: Sequence[ACLOperation],
        pattern: ACLResourcePatternType = ACLResourcePatternType.LITERAL,
    ) -> None:
        resource = ResourcePattern(kind, name, pattern)
        admin = self.broker.admin()
        try:
            admin.create_acls(
                [
                    ACL(f"User:CN={client}", "*", operation, ACLPermissionType.ALLOW, resource)
                    for operation in operations
                ]
            )
        finally:
            admin.close()

    def make_topic(self, name: str) -> None:
        """As `heroku kafka:topics:create` does, with the prefix already in `name`."""
        admin = self.broker.admin()
        try:
            admin.create_topics({name: {"num_partitions": 4}}, wait_for_metadata=True)
        finally:
            admin.close()


@dataclass(frozen=True, slots=True)
class LoginKafka:
    """A broker as Confluent Cloud, Aiven or MSK offer it: TLS with the host's name, login by SASL."""

    broker: KafkaBroker
    authority: Authority

    @classmethod
    def make(cls, folder: Path) -> LoginKafka:
        """Not started yet."""
        authority = Authority(folder, "cloud")
        clients = "listener.name.clients."
        extra = {
            **_tls(folder, authority.sign("broker", ["IP:127.0.0.1"])),
            "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
            f"{clients}scram-sha-512.sasl.jaas.config": f"{_LOGIN}.scram.ScramLoginModule required;",
            f"{clients}plain.sasl.jaas.config": (
                f'{_LOGIN}.plain.PlainLoginModule required user_{USER}="{PLAIN_PASSWORD}";'
            ),
        }
        return cls(KafkaBroker("SASL_SSL", extra, {USER: SCRAM_PASSWORD}, jvm=QUICK), authority)

    def environ(self, mechanism: str = "SCRAM-SHA-512") -> dict[str, str]:
        """What an operator sets for it."""
        return {
            "KAFKA_URL": self.broker.url,
            "KAFKA_TRUSTED_CERT": self.authority.certificate.pem,
            "KAFKA_SASL_MECHANISM": mechanism,
            "KAFKA_SASL_USERNAME": USER,
            "KAFKA_SASL_PASSWORD": PLAIN_PASSWORD if mechanism == "PLAIN" else SCRAM_PASSWORD,
        }
