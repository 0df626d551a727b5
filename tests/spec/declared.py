"""Specs from texts, for tests of what is checked across files."""

from statek.spec.checking.validate import load_specs
from statek.spec.reading.documents import read_documents
from statek.spec.reading.snapshot import SourceFile
from statek.spec.types import SpecSet

AGENT = "---\ndescription: One agent.\nmodel: fast/one\n{}---\nHello.\n"


def declared(files: dict[str, str]) -> SpecSet:
    """The specs of these files, which have no problems of their own."""
    read = read_documents([SourceFile(path, path.partition("/")[0], text.encode()) for path, text in files.items()])
    specs, problems = load_specs(read)
    assert [problem for problem in (*read.problems, *problems) if problem.code != "STK100"] == []
    return specs


def document(kind: str, spec: str, name: str = "one", metadata: str = "") -> str:
    """One YAML document; `spec` is a flow mapping."""
    return f"apiVersion: statek/v1\nkind: {kind}\nmetadata: {{name: {name}{metadata}}}\nspec: {spec}\n"
