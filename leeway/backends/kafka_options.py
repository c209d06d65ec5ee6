"""The options of Kafka's clients, named as MLRun's datastore profile or as librdkafka names them."""

import msgspec

from leeway.errors import StoreError

_NAMES = {
    "security_protocol": "security.protocol",
    "sasl_mechanism": "sasl.mechanism",
    "sasl_user": "sasl.username",
    "sasl_pass": "sasl.password",
    "sasl_plain_username": "sasl.username",
    "sasl_plain_password": "sasl.password",
    "ssl_cafile": "ssl.ca.location",
    "ssl_certfile": "ssl.certificate.location",
    "ssl_keyfile": "ssl.key.location",
    "ssl_password": "ssl.key.password",
    "ssl_crlfile": "ssl.crl.location",
    "ssl_ciphers": "ssl.cipher.suites",
}
_OURS = {"bootstrap.servers", "enable.idempotence", "acks", "group.id", "enable.auto.commit", "isolation.level"}


def kafka_options(text: str) -> dict[str, str]:
    """From the JSON object of `kafka.options` to librdkafka's properties; StoreError where it is none, or holds a
    name that is neither MLRun's nor librdkafka's, or one that Leeway sets. Values never show in errors.

    A SASL user without a mechanism means PLAIN. Where no protocol is given, it follows from the user and from
    `tls_enable`, as in MLRun; that SASL begins with a handshake is taken for granted.

    >>> kafka_options('{"sasl_user": "me", "sasl_pass": "x"}')["security.protocol"]
    'SASL_PLAINTEXT'
    """
    try:
        given = msgspec.json.decode(text or "{}", type=dict[str, str | int | float | bool])
    except msgspec.DecodeError as error:
        raise StoreError(
            f'LEEWAY_KAFKA_OPTIONS is no JSON object of options: {error}; for example {{"sasl_user": ""}}'
        ) from None
    options: dict[str, str] = {}
    with_tls = given.pop("tls_enable", False)
    given.pop("sasl_handshake", True)
    for name, value in given.items():
        if name == "ssl_check_hostname":
            options["ssl.endpoint.identification.algorithm"] = "https" if value else "none"
        elif name in _NAMES or name in _OURS or "." in name:
            options[_NAMES.get(name, name)] = str(value).lower() if isinstance(value, bool) else str(value)
        else:
            raise StoreError(
                f"LEEWAY_KAFKA_OPTIONS names {name!r}; use librdkafka's names (security.protocol, ...) or MLRun's: "
                f"{', '.join(_NAMES)}, ssl_check_hostname, tls_enable"
            )
    if wrong := sorted(_OURS & options.keys()):
        raise StoreError(f"LEEWAY_KAFKA_OPTIONS names {wrong[0]!r}, which Leeway sets itself: leave it out")
    if "sasl.username" in options:
        options.setdefault("sasl.mechanism", "PLAIN")
        options.setdefault("security.protocol", "SASL_SSL" if with_tls else "SASL_PLAINTEXT")
    elif with_tls:
        options.setdefault("security.protocol", "SSL")
    return options
