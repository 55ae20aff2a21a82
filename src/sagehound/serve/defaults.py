"""The functions that stand in where a user's module has none.

What the default `input_fn` hands to `predict_fn`:

- JSON, CSV, NPY: a float32 PyTorch tensor where PyTorch is in use (the model is loaded, so it is by then), on the GPU
  where there is one; a NumPy array otherwise. NPY keeps its own number type.
- image/jpeg, image/png, application/x-image: a Pillow image in RGB, whole, as torchvision's and timm's transforms
  take it. The default `predict_fn` turns it into a batch of one with the model's own `pretrained_cfg` (timm), or
  else as torchvision's ImageNet classifiers expect it (`sagehound.serve.images.pixels`).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from sagehound.errors import InvalidInput, JobFailure, Unsupported
from sagehound.serve import codecs, images

SUPPORTED_INPUT = (*codecs.ARRAY_TYPES, *images.IMAGE_TYPES)
_SHOWN_FILES = 20


def model_fn(model_dir: str) -> Any:  # noqa: ANN401
    """The TorchScript model `model.pt` or `model.pth` (or the only file of such a name) in `model_dir`, in eval mode.

    JobFailure says what was found and what to write.
    """
    path = _torchscript(Path(model_dir))
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        model = torch.jit.load(str(path), map_location=device)  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        # Weights saved by torch.save(model.state_dict()) are by far the most frequent content of a model.pth.
        raise JobFailure(
            f"{path.name} is not TorchScript ({str(error).strip().splitlines()[0]}). If it holds weights, write"
            " code/inference.py with a model_fn(model_dir) that builds the model and loads them;"
            " or save with torch.jit.script(model).save('model.pt')"
        ) from None
    return model.eval()


def _torchscript(folder: Path) -> Path:
    for name in ("model.pt", "model.pth"):
        if (folder / name).is_file():
            return folder / name
    others = sorted(path for suffix in ("*.pt", "*.pth") for path in folder.glob(suffix))
    if len(others) == 1:
        return others[0]
    raise JobFailure(
        f"there is no model_fn, and no TorchScript model.pt or model.pth in the model archive; found {found(folder)}."
        " Write code/inference.py with a function model_fn(model_dir) that returns the model"
    )


def found(folder: Path) -> str:
    """What is in `folder`, for a message."""
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    more = f" and {len(names) - _SHOWN_FILES} more" if len(names) > _SHOWN_FILES else ""
    return (", ".join(names[:_SHOWN_FILES]) or "nothing") + more


def input_fn(body: Any, content_type: str) -> Any:  # noqa: ANN401
    """The data in `body`; see the module for what comes out. Unsupported for another content type."""
    kind = codecs.media_type(content_type)
    if kind in images.IMAGE_TYPES:
        return images.decode(body)
    if kind not in codecs.ARRAY_TYPES:
        raise Unsupported(
            f"content type {content_type!r} is not decoded by default; send one of {', '.join(SUPPORTED_INPUT)},"
            " or write an input_fn(body, content_type)"
        )
    array = codecs.decode(body, content_type)
    if "torch" not in sys.modules or array.dtype.kind not in "fiub":
        return array
    import torch

    tensor = torch.from_numpy(array)
    tensor = tensor if kind == codecs.NPY else tensor.float()
    return tensor.to("cuda" if torch.cuda.is_available() else "cpu")


def predict_fn(data: Any, model: Any) -> Any:  # noqa: ANN401
    """`model(data)`, without gradients where the model is PyTorch's; `model.predict(data)` for one that has it."""
    if "torch" in sys.modules:
        import torch

        if isinstance(model, torch.nn.Module):
            device = next((tensor.device for tensor in model.parameters()), torch.device("cpu"))
            with torch.inference_mode():
                return model.eval()(_tensor(data, model).to(device))
    if callable(model):
        return model(data)
    if hasattr(model, "predict"):
        return model.predict(data)
    raise InvalidInput(f"a {type(model).__name__} is neither callable nor has predict(); write predict_fn(data, model)")


def _tensor(data: Any, model: Any) -> Any:  # noqa: ANN401
    import torch

    if isinstance(data, torch.Tensor):
        return data
    if hasattr(data, "convert") and hasattr(data, "resize"):
        return torch.from_numpy(images.pixels(data, getattr(model, "pretrained_cfg", None)))
    return torch.as_tensor(data)


def output_fn(prediction: Any, accept: str) -> tuple[bytes, str]:  # noqa: ANN401
    """`prediction` in the type asked for: JSON, NPY or CSV."""
    return codecs.encode(prediction, accept)
