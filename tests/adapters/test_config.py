"""The operator's Config says what this machine allows, and everything wrong in it is reported at once."""

import json
from pathlib import Path

import jsonschema
import pytest

from runner.document.config import config_file, load_config
from runner.errors import InvalidDocumentError
from runner.model.config import Config, MetricsSource

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "config.v1.schema.json").read_bytes())
KEYS = '"$schema", "apiVersion", "execPlugins", "insecureServers", "kind", "prometheus"'
HEAD = "apiVersion: runner/v1\nkind: Config\n"


def loaded(folder: Path, text: str) -> Config:
    (folder / "config.yaml").write_text(HEAD + text)
    return load_config(folder / "config.yaml")


def test_a_user_whom_the_machine_does_not_know_has_no_config(monkeypatch):
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("os.getuid", lambda: 4_000_000)

    assert load_config() == Config("$XDG_CONFIG_HOME/runner/config.yaml")


def test_a_file_in_a_home_that_nobody_knows_of_is_a_file_that_is_not_there(tmp_path):
    config = loaded(tmp_path, 'prometheus: {prod: {url: "https://p", tokenFile: ~nobody-of-that-name/t}}\n')

    assert config.source("prod").token_file == f"{tmp_path}/~nobody-of-that-name/t"


def test_a_source_keeps_its_secrets_in_files_beside_the_config(tmp_path):
    text = """
prometheus:
  prod: {url: "https://p.example.com/", tokenFile: prod.token, caFile: /etc/ca.pem}
  shop: {url: "http://10.0.0.7:9090", basicAuthFile: ~/login, headersFile: h, insecure: true}
execPlugins: [/usr/local/bin/aws]
insecureServers: ["https://127.0.0.1:6443/"]
"""

    config = loaded(tmp_path, text)

    prod = MetricsSource("prod", "https://p.example.com", f"{tmp_path}/prod.token", ca_file="/etc/ca.pem")
    assert config.source("prod") == prod
    assert config.source("shop").basic_auth_file == str(Path("~/login").expanduser())
    assert config.source("shop").insecure
    assert config.source("other") is None
    assert config.exec_plugins == ("/usr/local/bin/aws",)
    assert config.insecure_servers == ("https://127.0.0.1:6443",)


def test_no_config_allows_nothing_and_knows_where_one_would_lie(tmp_path):
    config = load_config(tmp_path / "config.yaml")

    assert config == Config(str(tmp_path / "config.yaml"))


def test_the_config_lies_in_the_users_config_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert config_file() == tmp_path / "runner" / "config.yaml"


def test_everything_wrong_is_said_at_once_with_its_place(tmp_path):
    text = """prometheus:
  prod: {url: "https://me:secret@p", tokenFile: a, basicAuthFile: b}
  a/b: {url: "https://p"}
execPlugins: [aws, 7]
insecureServer: []
"""

    with pytest.raises(InvalidDocumentError) as caught:
        loaded(tmp_path, text)

    said = [f"{d.location.line}:{d.location.column} {d.message}" for d in caught.value.diagnostics]
    assert said == [
        '4:15 "url" is not a Prometheus address',
        '4:52 "tokenFile" and "basicAuthFile" exclude each other in prometheus.prod',
        '5:3 "a/b" is not a name for "prometheus"',
        '6:15 an item of "execPlugins" is not a whole path of a program',
        '6:20 an item of "execPlugins" is the number 7, expected text',
        f'7:1 unknown key "insecureServer" in the document, expected one of {KEYS}',
    ]


@pytest.mark.parametrize(
    "text", ["", "kind: Config\n", "apiVersion: runner/v2\nkind: Config\n", "- a\n", "{"]
)
def test_what_is_no_config_is_refused(tmp_path, text):
    (tmp_path / "config.yaml").write_text(text)

    with pytest.raises(InvalidDocumentError):
        load_config(tmp_path / "config.yaml")


def test_every_example_of_the_schema_is_valid():
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    for example in SCHEMA["examples"]:
        jsonschema.validate(example, SCHEMA, cls=jsonschema.Draft7Validator)


def fields(schema: dict, path: str = "") -> list[tuple[str, dict]]:
    found = [(path, schema)]
    for name, inner in schema.get("properties", {}).items():
        found += fields(inner, f"{path}.{name}")
    for inner in schema.get("definitions", {}).values():
        found += fields(inner, path) if "properties" in inner else []
    return found


@pytest.mark.parametrize(
    ("path", "field"), fields(SCHEMA), ids=lambda value: value if isinstance(value, str) else ""
)
def test_every_field_explains_itself(path, field):
    assert field["title"]
    assert field["description"].endswith(".")
    assert field["examples"]
