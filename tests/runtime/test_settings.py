"""Settings: file, then environment, then flags; what is wrong is named with its remedy."""

import pytest

from belfry.runtime.settings import SettingsRefused, read_settings
from belfry.runtime.tokens import Tokens, TokensRefused, is_loopback, read_tokens

TOKEN = "sixteen-characters-at-least"


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path):
    file = tmp_path / "b.toml"
    file.write_text('rules = "a"\ndata = "a.db"\nlisten = "127.0.0.1:1"\nkeep_days = 3\n')
    environment = {"BELFRY_DATA": "b.db", "BELFRY_LISTEN": "[::1]:2"}
    found = read_settings(file, environment, {"listen": "127.0.0.1:3", "rules": None})
    assert (str(found.rules), str(found.data)) == ("a", "b.db")
    assert (found.host, found.port, found.keep_days) == ("127.0.0.1", 3, 3)


def test_a_providers_secret_comes_from_a_file_and_is_not_shown(tmp_path):
    secret = tmp_path / "path"
    secret.write_text("hidden.ndjson\n")
    environment = {"BELFRY_PROVIDER_FILE_PATH_FILE": str(secret)}
    found = read_settings(None, environment, {"rules": "r", "data": "d"})
    assert found.providers == {"file": {"path": "hidden.ndjson"}}
    assert "hidden" not in repr(found)


def test_watched_folders_from_file_environment_and_flags(tmp_path):
    file = tmp_path / "b.toml"
    file.write_text('rules = "r"\ndata = "d"\n[watch]\n"core.yaml" = "inbox"\n')
    assert [str(b) for _, b in read_settings(file, {}, {}).watch] == ["inbox"]
    environment = {"BELFRY_WATCH": "a.yaml=x;b.yaml=y"}
    assert [str(b) for _, b in read_settings(file, environment, {}).watch] == ["x", "y"]
    assert [str(b) for _, b in read_settings(file, {}, {"watch": ("a.yaml=z",)}).watch] == ["z"]


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ({"data": "d"}, "rules is required"),
        ({"rules": "r", "data": "d", "listen": "8080"}, "HOST:PORT"),
        ({"rules": "r", "data": "d", "listen": "x:99999"}, "HOST:PORT"),
        ({"rules": "r", "data": "d", "clock": "sun"}, "wall, events"),
        ({"rules": "r", "data": "d", "keep_days": "many"}, "whole number"),
        ({"rules": "r", "data": "d", "watch": ("inbox",)}, "SOURCE.yaml=FOLDER"),
        ({"rules": "r", "data": "d", "providers": {"fiel": {}}}, "did you mean"),
    ],
)
def test_what_is_wrong_is_named(flags, word):
    with pytest.raises(SettingsRefused, match=word):
        read_settings(None, {}, flags)


def test_an_unknown_key_gets_a_hint(tmp_path):
    file = tmp_path / "b.toml"
    file.write_text('ruels = "a"\n')
    with pytest.raises(SettingsRefused, match="rules"):
        read_settings(file, {}, {})


def test_a_token_passes_for_its_scopes_only(tmp_path):
    several = tmp_path / "tokens.toml"
    several.write_text(f'[core]\ntoken = "{TOKEN}"\nscopes = ["events"]\n')
    tokens = read_tokens({"BELFRY_API_TOKENS": str(several), "BELFRY_API_TOKEN": TOKEN + "2"})
    assert tokens.allows(f"Bearer {TOKEN}", "events") is True
    assert tokens.allows(f"Bearer {TOKEN}", "operate") is False
    assert tokens.allows(f"bearer {TOKEN}2", "operate") is True
    assert tokens.allows(f"Bearer {TOKEN}3", "events") is None
    assert not Tokens({})


@pytest.mark.parametrize(
    "text",
    ['[a]\ntoken = "short"\nscopes = ["events"]', '[a]\nscopes = ["all"]', "a =", 'a = "b"'],
)
def test_tokens_that_would_protect_nothing_are_refused(tmp_path, text):
    path = tmp_path / "tokens.toml"
    path.write_text(text)
    with pytest.raises(TokensRefused) as refused:
        read_tokens({"BELFRY_API_TOKENS": str(path)})
    assert "short" not in str(refused.value).replace(str(path), "")


@pytest.mark.parametrize(
    ("host", "is_local"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("0.0.0.0", False), ("a.b", False)],
)
def test_which_addresses_reach_this_machine_only(host, is_local):
    assert is_loopback(host) is is_local


def test_limits_of_a_provider_are_parted_from_its_own_settings(tmp_path):
    file = tmp_path / "b.toml"
    file.write_text('rules = "r"\ndata = "d"\n[providers.file]\npath = "m"\nrate = 20\n')
    environment = {"BELFRY_PROVIDER_FILE_CONCURRENCY": "4"}
    found = read_settings(file, environment, {})
    assert found.providers == {"file": {"path": "m"}}
    assert (found.limits["file"].rate, found.limits["file"].concurrency) == (20, 4)
    with pytest.raises(SettingsRefused, match=r"^providers\.file\.timeout_s is a number"):
        read_settings(file, {"BELFRY_PROVIDER_FILE_TIMEOUT_S": "soon"}, {})


def test_redis_and_the_contact_key_are_checked_and_not_shown():
    flags = {"rules": "r", "data": "d"}
    environment = {"BELFRY_REDIS": "redis://:hidden@h", "BELFRY_CONTACT_KEY": "hidden" * 6}
    assert "hidden" not in repr(read_settings(None, environment, flags))
    for name in ("BELFRY_REDIS", "BELFRY_CONTACT_KEY"):
        with pytest.raises(SettingsRefused) as refused:
            read_settings(None, {name: "hidden"}, flags)
        assert name.removeprefix("BELFRY_").lower() in str(refused.value)
        assert "hidden" not in str(refused.value)
