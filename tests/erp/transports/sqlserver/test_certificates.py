"""Reading a certificate that nobody could verify."""

import base64

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from erphub.erp.transports.sqlserver.der import read_certificate
from erphub.erp.transports.sqlserver.tls import authority
from erphub.platform.errors import Invalid
from local.sqlserver import certificate


def der(pem: bytes) -> bytes:
    lines = pem.decode().strip().splitlines()
    return base64.b64decode("".join(lines[1:-1]))


def test_the_words_a_person_needs_are_read() -> None:
    made = certificate(["db01.example.com", "*.example.com", "192.0.2.7", "::1"], signed_by_authority=True)
    names = read_certificate(der(made.certificate))
    assert (names.subject, names.issuer) == ("db01.example.com", "Stand-in authority")
    assert names.hosts == ("db01.example.com", "*.example.com", "192.0.2.7", "::1")
    assert names.expires == x509.load_pem_x509_certificate(made.certificate).not_valid_after_utc.date().isoformat()


@given(st.binary(max_size=200))
def test_nonsense_is_unnamed_and_no_crash(data: bytes) -> None:
    assert read_certificate(data).hosts == ()


@given(st.data())
def test_a_damaged_certificate_is_no_crash(data: st.DataObject) -> None:
    damaged = bytearray(_GOOD)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert isinstance(read_certificate(bytes(damaged)).subject, str)


_GOOD = der(certificate().certificate)


def test_a_certificate_is_accepted_as_an_authority_and_a_key_is_not() -> None:
    made = certificate()
    assert authority(made.authority.decode()) == made.authority.decode()
    for wrong, code in (
        (made.key.decode() + made.certificate.decode(), "private_key_given"),
        ("", "certificate_form"),
        ("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----", "certificate_form"),
        ("blåbær", "certificate_form"),
    ):
        with pytest.raises(Invalid) as refused:
            authority(wrong)
        assert refused.value.code == code
