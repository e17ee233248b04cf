"""The files of a release but for its manifest and signature. Same content, same bytes."""

from enclave.ledger.codelists_csv import codelist_csv, codelist_path
from enclave.ledger.csvw import metadata
from enclave.ledger.readme_text import readme
from enclave.ledger.release_content import ReleaseContent
from enclave.ledger.spreadsheet import spreadsheet
from enclave.ledger.tables_csv import table_csv


def render(content: ReleaseContent) -> dict[str, bytes]:
    """Return relative path -> bytes, sorted by path."""
    files = {f"tables/{entry.table.spec.id}.csv": table_csv(entry.table) for entry in content.tables}
    for variable in content.variables:
        for number, hierarchy in enumerate(variable.hierarchies, start=1):
            files[codelist_path(variable.id, number)] = codelist_csv(hierarchy, content.labels[variable.id])
    files["metadata.json"] = metadata(content)
    files["tables.xlsx"] = spreadsheet(content)
    files["README.txt"] = readme(content)
    return dict(sorted(files.items()))
