"""What every request and response type has in common.

    wire JSON (camelCase)  --from_wire-->  model (snake_case)  --to_wire-->  wire JSON
    keywords, either spelling  ----------^                      --to_dict-->  snake_case dicts

Reading is lenient: a value of any kind stands where one value is expected, unknown fields survive, and only a wrong
container (text for an object, an object for a list) is an error. Pydantic declares the fields; reading and writing
them follow a plan made once per class, several times faster than its validation. Source: semantics.md 1.5.
"""

import pprint
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from target_decisioning.delivery.fields import Plan, make_plan, misfit
from target_decisioning.delivery.plain import SCALARS, copied, plain
from target_decisioning.errors import RequestError

_IRREGULAR: Final = {
    "web_gl_renderer": "webGLRenderer",
    "browser_ua_with_major_version": "browserUAWithMajorVersion",
    "browser_ua_with_full_version": "browserUAWithFullVersion",
}
_MODELS: Final[set[type]] = set()  # every model class: isinstance of a pydantic class takes longer than writing one


def wire_name(name: str) -> str:
    """Return the wire's spelling of a field: ``tnt_id`` is ``tntId``."""
    return _IRREGULAR.get(name) or to_camel(name)


class Model(BaseModel):
    """One object of the wire. Every field may be absent, which reads as None; ``repr`` never shows a value."""

    model_config = ConfigDict(extra="allow", alias_generator=wire_name, populate_by_name=True, defer_build=True)

    _plan: ClassVar[Plan]
    _other_names: ClassVar[dict[str, str]] = {}
    """More names that a field may be given under as a keyword, and the field's own."""
    _root: ClassVar[str] = "request"
    _keeps_null: ClassVar[bool] = False

    @classmethod
    def __pydantic_init_subclass__(cls, **_keywords: Any) -> None:
        _MODELS.add(cls)
        names = {name: wire_name(name) for name in cls.model_fields}
        annotations = {name: field.annotation for name, field in cls.model_fields.items()}
        cls._plan = make_plan(names, annotations, cls._other_names)

    def __init__(self, /, **values: Any) -> None:
        try:
            self._fill(values, wire_only=False)
        except RequestError as error:
            raise RequestError(type(self).__name__ + error.where, error.found, error.expected) from None

    @classmethod
    def from_wire(cls, wire: Mapping[str, Any], where: str | None = None) -> Self:
        """Read an object as the wire spells it; nothing in the model is shared with it.

        Raises:
            RequestError: for a wrong container; the path starts with *where*, ``request`` or ``response`` if None.
        """
        if not isinstance(wire, Mapping):
            raise RequestError(where or cls._root, misfit(wire, "").found, "an object")
        try:
            return cls._made(wire, wire_only=True)
        except RequestError as error:
            raise RequestError((where or cls._root) + error.where, error.found, error.expected) from None

    @classmethod
    def read_field(cls, value: Any, wire_only: bool) -> Self | None:
        """Read *value* as a field of this class: a model or None as it is, an object as a new model.

        Raises:
            RequestError: for anything else, or for what is in it; the path is relative to *value*.
        """
        if type(value) is dict or isinstance(value, Mapping):
            return cls._made(value, wire_only)
        if value is None:
            return None
        if isinstance(value, cls):
            return value.model_copy(deep=True) if wire_only else value
        raise misfit(value, f"an object ({cls.__name__})")

    @classmethod
    def _made(cls, values: Mapping[str, Any], wire_only: bool) -> Self:
        model = cls.__new__(cls)
        model._fill(values, wire_only)
        return model

    def _fill(self, values: Mapping[str, Any], wire_only: bool) -> None:
        plan = self._plan
        fields = plan.by_wire_name if wire_only else plan.by_any_name
        own: dict[str, Any] = plan.blank.copy()
        given: set[str] = set()
        unknown: dict[str, Any] = {}
        key: Any = None
        try:
            for key, value in values.items():
                field = fields.get(key)
                if field is None:
                    unknown.update(copied({key: value}))
                    continue
                name, read = field
                given.add(name)
                if read is not None:
                    own[name] = read(value, wire_only)
                else:
                    own[name] = value if type(value) in SCALARS else copied(value)
        except RequestError as error:
            raise RequestError(_place(key, fields) + error.where, error.found, error.expected) from None
        _set(self, "__dict__", own)
        _set(self, "__pydantic_fields_set__", given)
        _set(self, "__pydantic_extra__", unknown)
        _set(self, "__pydantic_private__", None)

    if not TYPE_CHECKING:

        def __setattr__(self, name: str, value: Any) -> None:
            field = self._plan.by_any_name.get(name) if name in self._plan.blank else None
            if field and field[1]:
                try:
                    value = field[1](value, False)
                except RequestError as error:
                    where = f"{type(self).__name__}.{name}{error.where}"
                    raise RequestError(where, error.found, error.expected) from None
            super().__setattr__(name, value)

    def to_wire(self) -> dict[str, Any]:
        """Return the model as JSON-ready camelCase, sharing nothing with it; absent values are left out.

        Raises:
            RequestError: for a value that has no JSON form.
        """
        try:
            return self._wire(self._keeps_null)
        except RequestError as error:
            raise RequestError(self._root + error.where, error.found, error.expected) from None

    def _wire(self, keeps_null: bool) -> dict[str, Any]:
        names = self._plan.wire_names
        wire: dict[str, Any] = {}
        name = ""
        try:
            for name, value in self.__dict__.items():
                if value is None:
                    if keeps_null and name in self.__pydantic_fields_set__:
                        wire[names[name]] = None
                elif type(value) in SCALARS:
                    wire[names[name]] = value
                else:
                    wire[names[name]] = _wire_of(value, keeps_null)
            for name, value in (self.__pydantic_extra__ or {}).items():
                wire[name] = plain(value)
        except RequestError as error:
            where = _place(names.get(name, name), self._plan.by_wire_name) + error.where
            raise RequestError(where, error.found, error.expected) from None
        return wire

    def to_dict(self) -> dict[str, Any]:
        """Return the model as nested dicts with snake_case names: every field, None where it is absent."""
        fields = {name: _dict_of(value) for name, value in self.__dict__.items()}
        return {name: plain(value) for name, value in (self.__pydantic_extra__ or {}).items()} | fields

    def to_str(self) -> str:
        """Return ``to_dict`` laid out to be read. Unlike ``repr`` it shows every value, also personal ones."""
        return pprint.pformat(self.to_dict())

    def __repr_args__(self) -> Iterator[tuple[str, Any]]:
        """Yield which fields are set: what pydantic, rich and ``repr`` print of a model."""
        present = (name for name, value in self.__dict__.items() if value is not None)
        return ((name, _HIDDEN) for name in (*present, *(self.__pydantic_extra__ or ())))


class RequestModel(Model):
    """An object that a caller sends."""


class ResponseModel(Model):
    """An object that comes back. A null that was read is written again."""

    _root: ClassVar[str] = "response"
    _keeps_null: ClassVar[bool] = True


class _Hidden:
    def __repr__(self) -> str:
        return "..."


_HIDDEN: Final = _Hidden()
_set: Final = object.__setattr__  # pydantic's own way to fill a model that is not validated


def _place(key: Any, known: Mapping[str, Any]) -> str:
    """Return the step of a path that leads to *key*; an unknown key is quoted and cut."""
    return f".{key}" if key in known else f"[{str(key)[:80]!r}]"


def _wire_of(value: Any, keeps_null: bool) -> Any:
    if type(value) is list:
        return _wire_list(value, keeps_null)
    return value._wire(keeps_null) if type(value) in _MODELS else plain(value)


def _wire_list(values: list[Any], keeps_null: bool) -> list[Any]:
    wire: list[Any] = []
    try:
        for value in values:
            wire.append(_wire_of(value, keeps_null))  # noqa: PERF401  the error needs to know how far it got
    except RequestError as error:
        raise RequestError(f"[{len(wire)}]{error.where}", error.found, error.expected) from None
    return wire


def _dict_of(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, list):
        return [_dict_of(part) for part in value]
    return plain(value)
