"""How much one class holds: at most twelve fields, or its docstring says why it has more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import signalpost

MOST = 12
REASON = "Many fields: "  # and then the reason; in the docstring

SOURCES = Path(signalpost.__file__).parent


def _classes() -> Iterator[tuple[str, ast.ClassDef]]:
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                yield f"{path.relative_to(SOURCES)}: {node.name}", node


def _fields(made: ast.ClassDef) -> set[str]:
    """What objects of a class have of their own: slots, annotated fields, and whatever `self` is given."""
    fields: set[str] = set()
    for statement in made.body:
        match statement:
            case ast.Assign(targets=[ast.Name("__slots__")], value=ast.Tuple(elts=slots)):
                fields |= {slot.value for slot in slots if isinstance(slot, ast.Constant)}
            case ast.AnnAssign(target=ast.Name(name), annotation=annotation):
                if not ast.unparse(annotation).startswith(("ClassVar", "Final")):
                    fields.add(name)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                fields |= {
                    node.attr
                    for node in ast.walk(statement)
                    if isinstance(node, ast.Attribute)
                    and isinstance(node.ctx, ast.Store)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "self"
                }
    return fields


def test_a_class_has_at_most_twelve_fields_or_says_why_it_has_more() -> None:
    """Whoever gives the thirteenth sees whether it is two things by now; and no reason stays that is none."""
    counted = {name: (len(_fields(made)), ast.get_docstring(made) or "") for name, made in _classes()}
    assert [name for name, (count, said) in counted.items() if (count > MOST) != (REASON in said)] == []
    assert any(REASON in said for _, said in counted.values()), "there are some"
