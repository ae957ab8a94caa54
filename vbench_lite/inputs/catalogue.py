"""Finds and builds generators: by name, by file, or by class "pkg.mod:Class"."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from vbench_lite.adapters import ADAPTERS, CHECKS
from vbench_lite.errors import GeneratorError, UnknownName, UsageError, WeightsError
from vbench_lite.generator import Generator
from vbench_lite.inputs.accepted import ANY, EXPECTED, as_inputs, read_inputs
from vbench_lite.inputs.shipped import shipped_folder
from vbench_lite.measuring.rates import read_price
from vbench_lite.records import ROUTES, ClipSpec, Definition, Route
from vbench_lite.tomlfile import TomlFile
from vbench_lite.userfile import is_folder, is_named, is_there

KEYS = (
    "route", "adapter", "model", "revision", "source", "licence", "clip", "inputs", "settings", "price", "weights",
    "about",
)
ROLES = ("draft", "refiner")
SEE = "See them with: vbench list generators"


def definition_paths() -> dict[str, Path]:
    """Name -> file of every generator. Generators of the working folder take precedence over shipped ones."""
    found: dict[str, Path] = {}
    for folder in (Path("generators"), shipped_folder("generators")):
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
        for path in sorted(folder.glob("*/*.toml")):
            if path.stem == path.parent.name:
                found.setdefault(path.stem, path)
    return found


def find_definition(name: str) -> Definition:
    """Find the definition of a generator.

    Args:
        name: A name, a TOML file, a folder of clips, or a Python class "pkg.mod:Class".

    Raises:
        UnknownName: There is no such generator.
        BadFile: The file is not a valid definition.
        GeneratorError: The attribute `inputs` of the class is not valid.
    """
    if ":" in name and not is_there(Path(name)):
        return _definition_of_class(name)
    path = Path(name)
    if is_folder(path) and ("/" in name or name not in definition_paths()):
        return _definition_of_folder(path)
    if path.suffix == ".toml" or "/" in name:
        if not is_named(path):
            raise UnknownName("generator", name, definition_paths(), SEE)
        return read_definition(path)
    paths = definition_paths()
    if name not in paths:
        raise UnknownName("generator", name, paths, SEE)
    return read_definition(paths[name])


def read_definition(path: Path) -> Definition:
    """Read the TOML file of a generator; see docs/generators.md for its keys."""
    file = TomlFile(path)
    file.only(KEYS)
    route = file.get("route", str)
    if route not in ROUTES:
        raise file.error("route", f'"route" is "{route}": expected one of {", ".join(ROUTES)}.')
    folder = path.parent.resolve()
    model = file.get("model", str, "")
    if model and is_there(folder / model):
        model = str(folder / model)
    price = file.get("price", dict, {})
    return Definition(
        name=path.stem, route=cast(Route, route), adapter=file.get("adapter", str), model=model,
        revision=file.get("revision", str, ""), source=file.get("source", str, ""),
        licence=file.get("licence", str, ""), clip=_clip_spec(file),
        inputs=read_inputs(file, file.get("adapter", str)), settings=file.get("settings", dict, {}),
        price=read_price(file, "price", price) if price else None, weights=_digests(file), folder=folder,
        about=_about(file),
    )


def _digests(file: TomlFile) -> dict[str, str]:
    """The table [weights]: file -> sha256."""
    found: dict[str, str] = file.get("weights", dict, {})
    for name in found:
        file.check(found[name], str, f"weights.{name}")
    return found


def _about(file: TomlFile) -> dict[str, Any]:
    found: dict[str, Any] = file.get("about", dict, {})
    file.texts(found.get("python_packages", ...), "about.python_packages", [])
    return found


def _clip_spec(file: TomlFile) -> ClipSpec:
    file.only(("frames", "fps", "height", "width"), "clip", file.get("clip", dict, {}))
    usual = ClipSpec()
    spec = ClipSpec(
        frames=file.get("clip.frames", int, usual.frames), fps=file.get("clip.fps", float, usual.fps),
        height=file.get("clip.height", int, usual.height), width=file.get("clip.width", int, usual.width),
    )
    for key in ("frames", "fps", "height", "width"):
        if getattr(spec, key) <= 0:
            raise file.error(f"clip.{key}", f'"{key}" is {getattr(spec, key)}: expected more than 0.')
    return spec


def _definition_of_folder(path: Path) -> Definition:
    """The definition for a folder: the folder of a generator, or a folder of existing clips."""
    path = path.resolve()
    if (path / f"{path.name}.toml").exists():
        return read_definition(path / f"{path.name}.toml")
    return Definition(
        name=path.name, route="undisclosed", adapter="recorded", model=str(path), inputs=ANY, folder=path.parent
    )


def _definition_of_class(name: str) -> Definition:
    loaded = import_class(name)
    given = getattr(loaded, "definition", None)
    if isinstance(given, Definition):
        return given
    inputs = as_inputs(getattr(loaded, "inputs", ["text"]))
    if inputs is None:
        raise GeneratorError(f'"{name}": its attribute "inputs" is {loaded.inputs!r}: expected {EXPECTED}.')
    return Definition(
        name=name.partition(":")[2].lower(), route=getattr(loaded, "route", "undisclosed"), adapter=name,
        clip=getattr(loaded, "clip", ClipSpec()), inputs=inputs,
        settings=getattr(loaded, "settings", {}), folder=Path.cwd(),
    )


def parts(definition: Definition) -> tuple[Definition, ...]:
    """The draft and the refiner of a hybrid; () for a generator with another adapter.

    Raises:
        UsageError: The settings do not name the draft or the refiner, or one of them is a hybrid.
        UnknownName: There is no generator of that name.
    """
    if definition.adapter != "hybrid":
        return ()
    found = []
    for role in ROLES:
        name = definition.settings.get(role)
        if not isinstance(name, str):
            raise UsageError(f'"{definition.name}": [settings] lacks "{role}": the name of a generator.')
        beside = definition.folder / name
        part = find_definition(str(beside) if is_there(beside) and beside.is_file() else name)
        if part.adapter == "hybrid":
            raise UsageError(f'"{definition.name}": its {role} "{name}" is also a hybrid. Name another generator.')
        found.append(part)
    return tuple(found)


def import_class(name: str) -> type[Any]:
    """Import the class "pkg.mod:Class". The working folder is on the import path."""
    module_name, _, class_name = name.partition(":")
    import sys

    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and not module_name.startswith(error.name):
            raise
        raise UnknownName("module", module_name, (), f'"{name}" must be importable from {Path.cwd()}.') from None
    loaded = getattr(module, class_name, None)
    if not isinstance(loaded, type):
        names = [n for n, v in vars(module).items() if isinstance(v, type)]
        raise UnknownName("class", class_name, names, f'"{module_name}" was found.')
    return loaded


def check_settings(definition: Definition) -> None:
    """Check the settings of an adapter as far as possible without loading the model.

    Raises:
        UsageError: The settings are incomplete, or do not fit the clips of the definition.
    """
    if check := CHECKS.get(definition.adapter):
        pkgutil.resolve_name(check)(definition, *parts(definition))


def build(definition: Definition) -> Generator:
    """Create the generator of a definition. It reads no weights before `load`.

    Raises:
        UnknownName: There is no such adapter, module or class.
        GeneratorError: The class lacks a method of a generator.
    """
    name = definition.adapter
    plugins = (e.value for e in entry_points(group="vbench_lite.adapters") if e.name == name)
    target = ADAPTERS.get(name) or next(plugins, name)
    if ":" not in target:
        raise UnknownName("adapter", name, ADAPTERS, f'The definition of "{definition.name}" names it.')
    generator = import_class(target)(definition, **_ingredients(definition))
    missing = [name for name in ("load", "generate", "close") if not callable(getattr(generator, name, None))]
    if missing:
        raise GeneratorError(f'"{target}" is not a generator: it lacks {", ".join(missing)}. See docs/generators.md.')
    return generator  # type: ignore[no-any-return]


CHECKED_AT_ONCE = ("command", "http", "recorded", "simulated")
"""Adapters that can be built, and so checked, without a model library."""


def check_definition(definition: Definition) -> None:
    """Check the adapter's name and settings before anything is generated.

    Raises:
        UnknownName: There is no such adapter.
        UsageError: A setting is not valid.
    """
    plugins = {entry.name for entry in entry_points(group="vbench_lite.adapters")}
    if definition.adapter not in {*ADAPTERS, *plugins} and ":" not in definition.adapter:
        raise UnknownName("adapter", definition.adapter, ADAPTERS, f'The definition of "{definition.name}" names it.')
    for part in parts(definition):
        check_definition(part)
    check_settings(definition)
    if definition.adapter in CHECKED_AT_ONCE:
        build(definition)


def _ingredients(definition: Definition) -> dict[str, Any]:
    """Further arguments of an adapter, so that adapters need not look for generators or clips."""
    if definition.adapter == "hybrid":
        return {"parts": parts(definition), "build": build, "check_weights": check_weights}
    if definition.adapter != "recorded":
        return {}
    from vbench_lite.inputs.clipnames import match_folder  # imported late, because it imports av

    return {"match_folder": match_folder}


def check_weights(definition: Definition) -> None:
    """Compare the weights on disk with the digests in the definition.

    Raises:
        WeightsError: A file is missing, or its digest differs.
    """
    for name, expected in definition.weights.items():
        path = definition.folder / name
        if not is_there(path):
            raise WeightsError(
                f'"{definition.name}" lacks its weights {path}. Fetch the repository again, or make them with the '
                f"recipe in {definition.folder}."
            )
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise WeightsError(
                f'{path} is not the file that "{definition.name}" was defined with: its sha256 is {found[:12]}..., '
                f"expected {expected[:12]}.... Restore it, or write the new digest under [weights] and rename the "
                "generator."
            )
