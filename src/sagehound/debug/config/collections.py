"""The collections of a hook: those that are built in, and what a script or a request adds."""

from __future__ import annotations

from collections.abc import Iterable

from sagehound.debug.config.collection import Collection, CollectionKeys
from sagehound.debug.config.reduction_config import ReductionConfig
from sagehound.debug.config.save_config import SaveConfig
from sagehound.errors import DebuggerTypeError, DebuggerValueError, InvalidCollectionConfiguration

#: The collections that are always there, and the names of the tensors that they hold.
BUILT_IN: dict[str, tuple[str, ...]] = {
    CollectionKeys.ALL: (".*",),
    CollectionKeys.DEFAULT: (),
    CollectionKeys.WEIGHTS: ("^(?!gradient|optimizer/).*weight",),
    CollectionKeys.BIASES: ("^(?!gradient|optimizer/).*bias",),
    CollectionKeys.GRADIENTS: ("^gradient",),
    CollectionKeys.LOSSES: ("[Ll]oss_(?!input).*output",),
    CollectionKeys.OPTIMIZER_VARIABLES: ("^optimizer/",),
}
#: Saved whether they are asked for or not.
ALWAYS = (CollectionKeys.LOSSES,)
#: Saved as they are: a reduction of one number says nothing.
_SCALARS = (
    CollectionKeys.LOSSES,
    CollectionKeys.METRICS,
    CollectionKeys.SM_METRICS,
    CollectionKeys.TENSORFLOW_SUMMARIES,
    CollectionKeys.FEATURE_IMPORTANCE,
    CollectionKeys.AVERAGE_SHAP,
)


class Collections:
    """Collections by name. Until `select` says which of them are saved, `of` answers with all that hold a tensor.

    >>> collections = Collections()
    >>> collections.get("relus").include("relu_output")
    >>> saved = collections.select(["relus", "weights"], SaveConfig(save_interval=10), None)
    >>> [collection.name for collection in saved]
    ['weights', 'losses', 'relus']
    >>> [collection.name for collection in collections.of("fc.relu_output_0")]
    ['relus']
    """

    def __init__(self, collections: Iterable[Collection] = ()) -> None:
        self._collections = {name: Collection(name, regexes) for name, regexes in BUILT_IN.items()}
        self._saved: tuple[Collection, ...] | None = None
        for collection in collections:
            self.add(collection)

    def get(self, name: str, create: bool = True) -> Collection:
        """The collection of that name; a missing one is made, and is empty until something is included."""
        if name not in self._collections:
            if not create:
                raise DebuggerValueError(f"no collection {name!r}; there are {', '.join(self._collections)}")
            self._collections[name] = Collection(name)
        return self._collections[name]

    def add(self, collection: str | Collection) -> None:
        """Add one; it takes the place of the one of that name. A name alone adds an empty one where there is none."""
        if isinstance(collection, Collection):
            self._collections[collection.name] = collection
        elif isinstance(collection, str):
            self.get(collection)
        else:
            raise DebuggerTypeError(f"{collection!r} is no Collection, nor the name of one")

    def all(self) -> tuple[Collection, ...]:
        return tuple(self._collections.values())

    def by_name(self) -> dict[str, Collection]:
        """The collections themselves, as `Hook.get_collections()` gives them."""
        return self._collections

    def of(self, tensor_name: str, module_type: str = "", is_root: bool = False) -> tuple[Collection, ...]:
        """Those that hold the tensor: of the selected ones, where `select` was called. The rest as for
        `Collection.matches`."""
        known = self.all() if self._saved is None else self._saved
        return tuple(collection for collection in known if collection.matches(tensor_name, module_type, is_root))

    def select(
        self, include: Iterable[str], save_config: SaveConfig, reduction_config: ReductionConfig | None
    ) -> tuple[Collection, ...]:
        """Those that are saved: the included ones and the losses, or everything where `all` is included. Each gets
        the hook's configuration for what it leaves open. Those that `problems` names are left out."""
        wanted = {*include, *ALWAYS}
        everything = CollectionKeys.ALL in wanted
        chosen = [one for one in self.all() if (everything or one.name in wanted) and not _empty(one)]
        for one in chosen:
            one.save_config = save_config if one.save_config is None else one.save_config.over(save_config)
            if one.name in _SCALARS:
                one.reduction_config = ReductionConfig(save_raw_tensor=True)
            elif one.reduction_config is None:
                one.reduction_config = reduction_config or ReductionConfig(save_raw_tensor=True)
        self._saved = tuple(chosen)
        return self._saved

    def problems(self, include: Iterable[str]) -> tuple[InvalidCollectionConfiguration, ...]:
        """What is wrong with the collections, to be raised or told: one that is asked for or was made, and holds
        nothing."""
        empty = [one.name for one in self.all() if _empty(one)]
        unknown = [name for name in dict.fromkeys(include) if name not in self._collections]
        return tuple(
            InvalidCollectionConfiguration(
                f"the collection {name!r} names no tensors and is not built in: give it an include_regex "
                f"or tensor_names; built in are {', '.join(BUILT_IN)}"
            )
            for name in (*empty, *unknown)
        )


def _empty(collection: Collection) -> bool:
    if collection.name in BUILT_IN:
        return False
    return not (collection.include_regex or collection.tensor_names or collection.modules)
