"""Personal data and secrets by form and checksum; ids and ordinary numbers are none."""

from __future__ import annotations

import time

import pytest

from bot.guardrails.pii import find, redact


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("mine is 4111 1111 1111 1111", "card"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("ssn 219-09-9999", "ssn"),
        ("write jane.miller84@gmail.com", "email"),
        ("call +44 7700 900123", "phone"),
        ("call (415) 555-0132", "phone"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "token"),
        ("https://discord.com/api/webhooks/123456/abcdefghijklmnopqrstuvwx", "webhook"),
        ("my password is hunter2!x", "password"),
        ("mi DNI es 12345678Z", "id"),
        ("meu cpf é 529.982.247-25", "id"),
        ("주민번호 900101-1234568", "id"),
        ("身份证11010519491231002X", "id"),
        ("ma sécu : 2 69 05 49 588 157 80", "id"),
        ("mi móvil 612 345 678", "phone"),
        ("電話番号は090-1234-5678です", "phone"),
        ("제 번호는 010-1234-5678이에요", "phone"),
        ("我手机号13812345678，加我", "phone"),
        ("메일은 minsu.kim92@naver.com이에요", "email"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----", "key"),
    ],
)
def test_is_found_and_redacted(text: str, kind: str) -> None:
    assert kind in {datum.kind for datum in find(text)}
    assert f"[{kind}]" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "message 1182735182735182736 by <@1182735182735182736>",
        "the card 4111 1111 1111 1112 fails its check",
        "pi is 3.14159265358979",
        "version 10.0.19045.3803 on 192.168.0.1",
        "in 2024-11-21 we sold 1,000,000 units",
        "my password is forgotten",
        "lines 100-200 of file 3",
        "order 4920018837711 still says 'in transit'",
        "part 12345678A, ref 111.111.111-11",
        "110105194912310021 is no id",
        "your order number is 12345678",
        "the number of users grew from 120 000 to 140 000",
    ],
)
def test_is_nobodys_data(text: str) -> None:
    assert list(find(text)) == []


def test_what_says_of_what_kind_it_is_stays() -> None:
    assert redact("my password is hunter2!x") == "my password is [password]"
    assert redact("mi móvil es 612 345 678, llama") == "mi móvil es [phone], llama"


def test_what_the_person_said_themselves_may_be_said_back() -> None:
    assert redact("call +44 7700 900123", keep="I am at +44 7700 900123") == "call +44 7700 900123"


def test_an_address_of_a_project_stays_in_an_answer() -> None:
    text = "ask support@python.org, not tom77@gmail.com"
    assert redact(text, private_only=True) == "ask support@python.org, not [email]"


@pytest.mark.parametrize("text", ["1 " * 20_000, "a@" * 20_000, "+1" * 20_000, "1-" * 20_000])
def test_hostile_text_is_bounded(text: str) -> None:
    began = time.process_time()
    list(find(text))
    assert time.process_time() - began < 1.0
