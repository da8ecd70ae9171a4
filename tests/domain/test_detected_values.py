from __future__ import annotations

import json
import random
import string
from collections.abc import Callable

import pytest

from hybrid_mcp.domain.detectors import findings_in

FORMS: dict[str, Callable[[str], str]] = {
    "environment": lambda value: f"DB_PASSWORD={value}",
    "export": lambda value: f"export DB_PASSWORD={value}",
    "YAML": lambda value: f"password: {value}",
    "INI": lambda value: f"password = {value}",
    "INI without spaces": lambda value: f"password={value}",
    "option": lambda value: f"tool --password {value} -h db",
    "sentence": lambda value: f"the password is {value}",
    "address": lambda value: f"postgres://app:{value}@db.internal/app",
    "JSON": lambda value: json.dumps({"password": value}),
    "Python": lambda value: f"password = {value!r}",
    "TOML": lambda value: "password = '{}'".format(value.replace("'", "+")),
    "XML": lambda value: "<password>{}</password>".format(value.replace("<", "+")),
    "token": lambda value: f"API_TOKEN={value}",
}
ALPHABETS = {
    "letters and digits": string.ascii_letters + string.digits,
    "all signs": string.ascii_letters + string.digits + string.punctuation,
    "base64": string.ascii_letters + string.digits + "+/",
}


@pytest.mark.parametrize("sign", ["", "!", "?", ".", "*", ":", ",", ";", "?!"])
@pytest.mark.parametrize("password", ["Winter2024", "monkey123"])
@pytest.mark.parametrize("name", ["password: ", "password is ", "PASSWORD="])
def test_a_sign_after_a_password_hides_it_from_nobody(name: str, password: str, sign: str):
    text = f"{name}{password}{sign}\nand more"
    [found] = findings_in(text, "prompt")
    assert found.kind == "a password"
    assert all(text[start:end].startswith(password) for start, end in found.spans)


@pytest.mark.parametrize("alphabet", ALPHABETS.values(), ids=ALPHABETS)
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_passwords_that_a_generator_made_are_found_and_are_cut_out_whole_or_not_at_all(
    form: Callable[[str], str], alphabet: str
):
    numbers = random.Random(16)  # noqa: S311 - the same passwords each time
    drawn = ["".join(numbers.choices(alphabet, k=16)) for _ in range(300)]
    # One that begins with a quote cannot be told from one in quotes.
    values = [value for value in drawn if value[0] not in "\"'`"]
    missed: list[str] = []
    for value in values:
        before, after = form("MARK").split("MARK")
        text = f"see\n{form(value)}\nwhy?"
        found = findings_in(text, "prompt")
        if not found:
            missed.append(value)
        for start, end in (span for finding in found for span in finding.spans):
            assert start <= text.index(before.rstrip("'\"")) + len(before), text
            assert end >= len(text) - len(f"{after}\nwhy?"), text
    assert len(missed) * 100 <= len(values) * 2, missed


@pytest.mark.parametrize("text", [
    "DB_PASSWORD=Gr8Pa55zz9,", "password: Gr8Pa55zz9;", "run(password=Gr8Pa55zz9)", "Password=Gr8Pa55zz9;Database=x",
    "the password is Gr8Pa55zz9.", "postgres://app:Gr8Pa55@zz9@db/x", "ghp_" + "a1B2" * 9 + "-more",
    "password==Gr8Pa55zz9",
])  # fmt: skip
def test_where_a_value_ends_is_not_told_when_it_is_not_certain(text: str):
    (finding,) = findings_in(text, "prompt")
    assert finding.spans == ()


@pytest.mark.parametrize(("text", "value"), [
    ("DB_PASSWORD=Gr8&Pa55,zz(9 x", "Gr8&Pa55,zz(9"), ('-e "DB_PASSWORD=Gr8Pa55zz9"', "Gr8Pa55zz9"),
    ("https://x.io/?password=Gr8Pa55zz9&a=b", "Gr8Pa55zz9"), ('"password": "Gr8\\"Pa55"', 'Gr8\\"Pa55'),
    ("password: 'Gr8\"Pa<55'", 'Gr8"Pa<55'),
    ("api_token: " + "a1B2" * 150, "a1B2" * 150),
])  # fmt: skip
def test_a_value_is_told_to_its_end(text: str, value: str):
    (finding,) = findings_in(text, "prompt")
    assert [text[start:end] for start, end in finding.spans] == [value]
