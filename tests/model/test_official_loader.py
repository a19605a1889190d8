"""The script beside an export for the official package: numbers of ours in lines of its own."""

import ast

import pytest
from exports import CONFIGS, WITHOUT_LSTM

from minicodec.model.config import ENCODEC_24KHZ, ENCODEC_48KHZ, MINI_24KHZ, CodecConfig
from minicodec.model.official_loader import script

EVERY = [*CONFIGS.values(), WITHOUT_LSTM, ENCODEC_24KHZ, ENCODEC_48KHZ, MINI_24KHZ]


@pytest.mark.parametrize("config", EVERY, ids=str)
def test_it_is_python_that_only_imports_and_defines(config):
    body = ast.parse(script(config, "mine")).body
    kinds = [type(node).__name__ for node in body]
    assert kinds == ["Expr", *["ImportFrom"] * 5, "Assign", "FunctionDef"]
    assert max(map(len, script(config, "mine").splitlines())) <= 100


@pytest.mark.parametrize(
    "name", ['""" + __import__("os").system("x") + """', "\\", "a\nb", '"', "", "ключ", "{x}", "%s"]
)
def test_a_name_is_a_word_whatever_it_says(name):
    """It may come from a stranger's file, and stands in a script that somebody runs."""
    text = script(MINI_24KHZ, name)
    assert ast.dump(ast.parse(text).body[-1]) == ast.dump(
        ast.parse(script(MINI_24KHZ, "m")).body[-1]
    )
    first = ast.get_docstring(ast.parse(text)).splitlines()[0]
    assert first.endswith(" as a model of the official package: pip install encodec safetensors")
    assert not set(first) & set('"\\{}\n')


def test_the_numbers_are_the_codecs():
    text = script(CodecConfig(n_filters=18, dimension=42, strides=(3, 7), bandwidths=(99.5,)), "m")
    for words in ("n_filters=18", "dimension=42", "ratios=[7, 3]", "target_bandwidths=[99.5]"):
        assert words in text
