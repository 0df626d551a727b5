"""Models that an environment puts in the place of others."""

from statek.compiler.project import compile_project


def test_an_environment_may_put_another_model_in_place(tmp_path):
    """Agents keep saying `desk`; in `live` they get `desk-live`."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.statek.env.live.models]\ndesk = "desk-live"\n')
    (tmp_path / "agents" / "a.md").write_text(
        "---\ndescription: One.\nmodel: {use: desk, fallback: [a/b]}\n---\nHello.\n"
    )
    head = "apiVersion: statek/v1\nkind: {}\nmetadata: {{name: {}}}\nspec: {}\n---\n"
    models = [head.format("Model", name, "{provider: p, id: x}") for name in ("desk", "desk-live")]
    (tmp_path / "agents" / "m.yaml").write_text(
        "".join(models) + head.format("Provider", "p", "{}").removesuffix("---\n")
    )
    chosen = [
        next(item.value.model for item in compile_project(tmp_path, env=env).objects if item.kind == "Agent")
        for env in ("dev", "live")
    ]
    assert chosen == [("desk", "a/b"), ("desk-live", "a/b")]
