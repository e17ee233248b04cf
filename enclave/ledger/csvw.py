"""`metadata.json`: what the CSV files hold, as CSV on the Web (W3C), so that other programs can read them unasked."""

import json
from collections.abc import Mapping

from enclave.ledger.codelists_csv import COLUMNS, codelist_path
from enclave.ledger.release_content import SYNTHETIC, Json, ReleaseContent, ReleaseTable
from enclave.ledger.tables_csv import header
from enclave.sdc.words import Words

CONTEXT = "http://www.w3.org/ns/csvw"


def metadata(content: ReleaseContent) -> bytes:
    """Return the table group: every table, then every code list."""
    tables: list[Json] = [_table(entry, content) for entry in content.tables]
    tables += [
        _codelist(codelist_path(variable.id, number), content.names[variable.id])
        for variable in content.variables
        for number in range(1, len(variable.hierarchies) + 1)
    ]
    group: dict[str, Json] = {
        "@context": [CONTEXT, {"@language": "en"}],
        "dc:title": _in_all(content.title),
        "dialect": {"encoding": "utf-8", "delimiter": ",", "header": True, "lineTerminators": ["\n"]},
        "tables": tables,
    }
    if content.synthetic:
        group["dc:description"] = SYNTHETIC
    return (json.dumps(group, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode()


def _in_all(words: Words) -> Json:
    return [{"@value": text, "@language": language} for language, text in words.as_dict().items()]


def _table(entry: ReleaseTable, content: ReleaseContent) -> Json:
    spec = entry.table.spec
    dimensions = [variable.id for variable in spec.dimensions]
    known: dict[str, dict[str, Json]] = {
        name: {"required": True, "dc:description": _in_all(content.names[name])} for name in dimensions
    }
    known |= _figure_columns(entry, content)
    described: dict[str, Json] = {
        "url": f"tables/{spec.id}.csv",
        "dc:title": _in_all(entry.title),
        "tableSchema": {
            "columns": [_column(name, known[name]) for name in header(spec)],
            "primaryKey": [*dimensions, "TIME_PERIOD"],
        },
    }
    if content.synthetic:
        described["dc:description"] = SYNTHETIC
    return described


def _figure_columns(entry: ReleaseTable, content: ReleaseContent) -> dict[str, dict[str, Json]]:
    marks = "|".join(["F", *(meaning.mark.code for meaning in content.legend(entry.table.spec))])
    number: Json = "decimal" if entry.table.decimals else "integer"
    return {
        "TIME_PERIOD": {"required": True},
        "UNIT": {"required": True},
        "OBS_VALUE": {"datatype": number, "null": ""},
        "CONF_STATUS": {"required": True, "datatype": {"base": "string", "format": marks}},
        "OBS_STATUS": {"required": True, "datatype": {"base": "string", "format": "A|Z|L|N"}},
    }


def _codelist(path: str, name: Words) -> Json:
    optional = {"parent"}
    columns: list[Json] = [_column(column, {"required": column not in optional}) for column in COLUMNS]
    return {"url": path, "dc:title": _in_all(name), "tableSchema": {"columns": columns, "primaryKey": ["code"]}}


def _column(name: str, properties: Mapping[str, Json]) -> Json:
    return {"datatype": "string", **properties, "name": name, "titles": name}
