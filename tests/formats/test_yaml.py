"""What YAML offers beyond plain data is refused where it stands."""

from __future__ import annotations

import time

import pytest

from solverkit.errors import InvalidProblem
from solverkit.formats import yaml

MINIMIZE = "0.5*sum((x - y)**2)"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("name: small", "name: &a small"), ["3:7: name: the anchor &a: anchors are not allowed; write the value out"]),
        (
            (MINIMIZE, "*a"),
            ["6:13: upper.minimize: the alias *a: aliases are not allowed; an expression cannot begin with *"],
        ),
        (("name:", "<<: {a: 1}\nname:"), ["3:1: merge keys (<<) are not allowed; write the keys out"]),
        (("small", "!!python/object/apply:os.system [ls]"), ["3:7: name: tags (!) are not allowed"]),
        (("small", "!local small"), ["3:7: name: tags (!) are not allowed"]),
        (("small", "! small"), ["3:7: name: tags (!) are not allowed"]),
        (("lower:", "upper:"), ["7:1: the key 'upper' is already there, in line 4"]),
        (("small", "[" * 60 + "]" * 60), ["3:56: name[0][0]...: nested deeper than 50"]),
        (("small", "[" * 100_000), ["3:56: name[0][0]...: nested deeper than 50"]),
        (("small", "{a: " * 100_000), ["3:203: name.a.a...: nested deeper than 50"]),
        (("small", "x" * 20_000), ["3:7: name: a value of 20000 characters; at most 10000"]),
        (("small", '"' + "x" * 20_000 + '"'), ["3:7: name: a value of 20000 characters; at most 10000"]),
        (("small", "9" * 9_000), ["3:7: name: a number too large for float64"]),
        (("small", "0x" + "f" * 9_000), ["3:7: name: a number of too many digits"]),
        (("small", "1e999"), ["3:7: name: a number too large for float64"]),
        (("small", ".nan"), ["3:7: name: NaN is not a number that a problem can use"]),
        (("small", '"\\e[31m"'), ["3:7: name: an escaped control character"]),
        (("small", '"\\uD800"'), ["3:7: name: an escaped control character"]),
        (("small", '"\\U00110000"'), ["3:1: name: not YAML that can be read (ValueError)"]),
        (("small", '"\\u202E"'), ["3:7: name: an escaped control character"]),
        (("small", "sm\x1b[31m"), ["3:9: the control character U+001B has no place in a problem file"]),
        (("small", "sm\x85"), ["3:9: the control character U+0085 has no place in a problem file"]),
        (("small", "a: b: c"), ["3:8: not YAML: mapping values are not allowed here"]),
        (
            ("{shape: 2}", "{shape: 2"),
            ["9:3: lower.variables: not YAML: expected ',' or '}', but got '<scalar>'"],
        ),
        (("small\n", "small\n? [1]\n: 2\n"), ["4:3: a key is a name, not a list or a mapping"]),
        (
            ("\n    balance: sum(x) + sum(y) == 0", " {a: dot(x, y) == 0}"),
            ["10:26: lower.subject_to: 'y) == 0' is not a key; inside { }, put an expression with commas in quotes"],
        ),
    ],
)
def test_refused_with_place(errors, change, expected):
    began = time.process_time()
    found = errors(change)
    assert time.process_time() - began < 2
    assert len(found) == len(expected)
    for line, text in zip(found, expected, strict=True):
        assert line.startswith(f"problem.yaml:{text}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "problem.yaml:1:1: the file is empty"),
        ("# nothing\n", "problem.yaml:1:1: the file is empty"),
        ("abc\n", "problem.yaml:1:1: a problem file is a mapping, and begins with `solverkit: 1`"),
        ("- 1\n", "problem.yaml:1:1: a problem file is a mapping, and begins with `solverkit: 1`"),
        ("a: 1\n---\nb: 2\n", "problem.yaml:2:1: a second document: a file holds one problem"),
        ("a: 1\n---\nb: &x 2\n", "problem.yaml:2:1: a second document: a file holds one problem"),
        ("%YAML 1.1\n---\na: &x 1\n", "problem.yaml:2:1: directives (%) are not allowed"),
        ("%YAML 1.1\n---\na: 1\n", "problem.yaml:2:1: directives (%) are not allowed"),
        ("%TAG ! x\n---\na: 1\n", "problem.yaml:2:1: directives (%) are not allowed"),
        ("a: 1\nb: \t2\n\tc: 3\n", "problem.yaml:2:4: b: not YAML: found character '\\t' that cannot start any token"),
        ("a: 'open\n", "problem.yaml:2:1: a: not YAML: found unexpected end of stream"),
        (b"a: \xff\n", "problem.yaml:1:4: not UTF-8 text"),
        (
            "a: 1\nb: x + 10",
            "problem.yaml:2:10: the last line does not end, as in a file that is cut; add a newline behind it",
        ),
        ('"\\U00110000"\n', "problem.yaml:1:1: not YAML that can be read (ValueError)"),
        (
            f"{'k' * 70}: 1\n{'k' * 70}: 2\n",
            f"problem.yaml:2:1: the key '{'k' * 64}' is already there, in line 1",
        ),
        ("#" * 1_000_001, "problem.yaml: 1000001 bytes; a problem file may have at most 1000000"),
        ("a: [" + "1," * 60_000 + "1]", "problem.yaml:1:1: more than 50000 commas; put large arrays into data files"),
        ("- 1\n" * 60_000, "problem.yaml:1:1: more than 50000 lines; put large arrays into data files"),
    ],
)
def test_files_that_are_no_problem(errors, text, expected):
    assert errors(text=text) == [expected]


def test_too_many_values(errors, monkeypatch):
    monkeypatch.setattr(yaml, "MAX_NODES", 100)
    assert errors(text="a: [" + "{a: 1}," * 50 + "1]") == [
        "problem.yaml:1:230: a[32]: more than 100 values; put large arrays into data files"
    ]


@pytest.mark.parametrize(
    ("least", "more", "message"),
    [
        ("a: 1\n" + "\n" * 49_999, "a: 1\n" + "\n" * 50_000, "more than 50000 lines"),
        ("a: " + "x" * 10_000 + "\n", "a: " + "x" * 10_001 + "\n", "a value of 10001 characters"),
        ("a: " + "[" * 49 + "]" * 49 + "\n", "a: " + "[" * 50 + "]" * 50 + "\n", "nested deeper than 50"),
        ("a: 0x" + "f" * 16 + "\n", "a: 0x" + "f" * 17 + "\n", "a number of too many digits"),
        ("a: 1.7e308\n", "a: 1.8e308\n", "a number too large for float64"),
        ("#" * 999_994 + "\na: 1\n", "#" * 999_996 + "\na: 1\n", "at most 1000000 bytes"),
    ],
)
def test_the_largest_file_of_each_kind_is_read_and_the_next_is_not(least, more, message):
    assert "a" in parse(least).value
    with pytest.raises(InvalidProblem, match=message):
        parse(more)


def test_as_many_values_as_a_file_may_have(monkeypatch):
    monkeypatch.setattr(yaml, "MAX_NODES", 5)
    assert parse("a: [1, 2]\n").value == {"a": [1, 2]}  # the mapping, its key, the list and its entries
    monkeypatch.setattr(yaml, "MAX_NODES", 4)
    with pytest.raises(InvalidProblem, match=r"f.*:1:8: a\[1\]: more than 4 values"):
        parse("a: [1, 2]\n")


def test_several_refusals_at_once(errors):
    found = errors(("small", "&a small"), (MINIMIZE, "*a"), ("2}}", "2, shape: 3}}"))
    assert [line.split(" ")[0] for line in found] == ["problem.yaml:3:7:", "problem.yaml:6:13:", "problem.yaml:8:29:"]


def parse(text: str) -> yaml.Document:
    return yaml.parse(text.encode(), "file.yaml")


def test_scalars_follow_the_core_schema_of_yaml_1_2():
    text = "{a: no, b: 12:30, c: 010, d: 1e3, e: 0x1F, f: 0o17, g: ~, h: True, i: -.inf, j: 1_000, k: '1', l: -0007}"
    expected = {
        "a": "no",
        "b": "12:30",
        "c": 10,
        "d": 1000.0,
        "e": 31,
        "f": 15,
        "g": None,
        "h": True,
        "i": -float("inf"),
        "j": "1_000",
        "k": "1",
        "l": -7,
    }
    assert parse(text).value == expected


def test_whole_numbers_beyond_18_digits_are_floats():
    value = parse("{a: 99999999999999999999, b: 999999999999999999}").value
    assert value["a"] == 1e20
    assert isinstance(value["a"], float)
    assert value["b"] == 999999999999999999
    value = parse("{a: -1000000000000000000, b: 000999999999999999999, c: -0, d: +3}").value
    assert [value["a"], value["b"], value["c"], value["d"]] == [-1e18, 999999999999999999, 0, 3]
    assert [type(value[name]) for name in "abcd"] == [float, int, int, int]


@pytest.mark.parametrize(
    ("text", "offset", "place"),
    [
        ("a: x + y3", 4, (1, 8)),
        ("a: 'x + y3'", 4, (1, 9)),
        ('a: "x + y3"', 4, (1, 9)),
        ("a:   x\n  + y3", 4, (2, 5)),
        ("a: >-\n  x\n  + y3", 4, (3, 5)),
        ("a: |\n  x\n  + y3", 4, (3, 5)),
        ('a: "x \\x2b y3"', 4, (1, 4)),  # escapes: the start of the scalar
        ("{k: x + y3}", 4, (1, 9)),
        ("a: x + y", 5, (1, 9)),  # behind the last character: what ends there is what is wrong
        ("a: 'x + y'", 5, (1, 10)),
    ],
)
def test_offsets_within_scalars(text, offset, place):
    document = parse(text + "\n")
    path = ("k",) if text.startswith("{") else ("a",)
    assert document.value[path[0]][offset:][:1] in ("y", "")
    assert document.place(path, offset) == place


def test_places_of_keys_values_and_what_is_not_there():
    document = parse("a:\n  b: [1, 2]\n")
    assert document.place(("a", "b")) == (2, 6)
    assert document.place(("a", "b"), key=True) == (2, 3)
    assert document.place(("a", "b", 1)) == (2, 10)
    assert document.place(("a", "c", "d")) == (1, 1)
    assert document.place(("z",)) == (1, 1)


def test_byte_order_mark_and_carriage_returns():
    document = yaml.parse(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n", "f")
    assert document.value == {"a": 1, "b": 2}
    assert document.place(("b",)) == (2, 4)


def test_cut_flow_file_needs_no_last_newline():
    assert parse("{a: 1}").value == {"a": 1}


def test_parse_caps_bytes():
    with pytest.raises(InvalidProblem, match="at most 1000000 bytes"):
        yaml.parse(b"#" * 1_000_001, "f")


def test_at_most_a_hundred_defects():
    with pytest.raises(InvalidProblem) as caught:
        parse("a: [" + ", ".join("&a 1" for _ in range(300)) + "]")
    assert len(caught.value.defects) == 100


def test_the_last_defect_that_is_listed_may_be_the_parsers():
    lines = [f"a{k}: &x 1" for k in range(yaml.MAX_DEFECTS - 1)]
    with pytest.raises(InvalidProblem) as refused:
        yaml.parse("\n".join([*lines, "b: [\n"]).encode(), "problem.yaml")
    assert len(refused.value.defects) == yaml.MAX_DEFECTS
    assert refused.value.defects[-1].message.startswith("not YAML: ")
