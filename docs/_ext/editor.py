"""Sphinx: what an editor shows of a public name, on hovering and on completing; made from the name itself."""

import importlib
import inspect
import re
from typing import Any, ClassVar

import attrs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

_FIELD = re.compile(r"\.?\s*\b(Shape|Units|Errors|Rules|Source): ")


class Hover(SphinxDirective):
    """The signature and the docstring of a function, up to its example."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Write them as an editor does, in a box."""
        self.env.note_reread()  # the library may have changed
        function = _named(self.arguments[0])
        signature = f"def {function.__name__}{_signature(function)}"
        doc = inspect.cleandoc(function.__doc__ or "").partition("\n\n>>>")[0]
        block = nodes.literal_block(signature, signature, language="python")
        text = self.parse_text_to_nodes(_FIELD.sub(r"\n\n**\1**: ", doc))
        return [nodes.container("", block, *text, classes=["editor-hover"])]


class Completions(SphinxDirective):
    """The attributes of a model, each with its type."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Write them as the list that opens behind a dot."""
        self.env.note_reread()  # the library may have changed
        fields = attrs.fields(_named(self.arguments[0]))
        shown = [field for field in fields if field.init and not field.name.startswith("_")]
        lines = "\n".join(f"{field.name}: {_type(field.type)}" for field in shown)
        return [nodes.container("", nodes.literal_block(lines, lines, language="python"), classes=["editor-hover"])]


def setup(app: Sphinx) -> dict[str, Any]:
    """Join Sphinx."""
    app.add_directive("hover", Hover)
    app.add_directive("completions", Completions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _named(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def _signature(function: Any) -> str:
    """Write a signature, one parameter a line, with its defaults as dots: what an editor shows is about types."""
    signature = inspect.signature(function)
    parameters = "".join(f"    {_parameter(parameter)},\n" for parameter in signature.parameters.values())
    return f"(\n{parameters}) -> {_type(signature.return_annotation)}"


def _parameter(parameter: inspect.Parameter) -> str:
    default = "" if parameter.default is parameter.empty else " = ..."
    return f"{parameter.name}: {_type(parameter.annotation)}{default}"


def _type(annotation: Any) -> str:
    """Write an annotation without the modules of its names."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"\b(?:\w+\.)+(\w+)", r"\1", text)
