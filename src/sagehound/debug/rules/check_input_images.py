"""Images that are not normalised."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sagehound.debug.finding import Finding
from sagehound.debug.judging.statistics import read
from sagehound.debug.rules.absence import has_none_of
from sagehound.debug.rules.gathered import gathered
from sagehound.debug.store.records import TensorInfo
from sagehound.debug.trial import Trial, matching

#: The guide's default, a name of another framework: it means the images that the model is given.
_OF_THE_GUIDE = ".*hybridsequential0_input_0"
_CONVOLUTIONS = ("Conv2d", "LazyConv2d")
#: Images have up to so many channels; more are features.
_CHANNELS = 4


@dataclass(frozen=True)
class CheckInputImages:
    """The mean of the input images lies away from 0 in some channel.

    Formula: over the last `threshold_samples` images, |mean of channel c| > threshold_mean for some c. The images are
    the first saved input of a Conv2d with at most 4 channels, or the model's own input, of four dimensions;
    `channel` is the dimension of the channels (1: batch, channel, height, width). `regex` names another tensor.

    Why it matters: inputs that are all positive push all weights of a first-layer unit the same way, and training is
    slower (LeCun et al. 1998, Efficient BackProp, 4.3); and a pretrained network expects the normalisation that it was
    trained with. Parameters and defaults are those of AWS's guide. A network that starts with a BatchNorm2d normalises
    by itself: save its first Conv2d's input, or leave this rule out.
    """

    threshold_mean: float = 0.2
    threshold_samples: int = 500
    regex: str = ""
    channel: int = 1

    name: ClassVar[str] = "CheckInputImages"
    same_in_all_modes: ClassVar[bool] = True

    def findings(self, trial: Trial, step: int) -> Iterator[Finding]:
        images = self._images(trial, step)
        if images is None or images.saved == "nothing" or images.shape[0] == 0:
            return
        steps = gathered(trial, step, images.name, self.threshold_samples, elements=False)
        means, samples = self._means(trial, images, steps)
        if steps and samples >= self.threshold_samples and float(np.abs(means).max()) > self.threshold_mean:
            yield self._finding(trial, step, images, means, samples)

    def unable(self, trial: Trial) -> str:
        if any(self._images(trial, step) for step in trial.steps()):
            return ""
        if not self.regex and has_none_of(trial, _CONVOLUTIONS):
            return ""  # a model that takes no images
        root = trial.model.root or "<the model's class>"
        return (
            "no input images were saved; add CollectionConfig(name='input_image', parameters={'include_regex': "
            f"'^{root}_input_0', 'save_interval': '100'}})"
        )

    def _images(self, trial: Trial, step: int) -> TensorInfo | None:
        infos = [info for info in trial.infos(step) if len(info.shape) == 4]
        if self.regex and self.regex != _OF_THE_GUIDE:
            named = matching((info.name for info in infos), [self.regex])
            return next((info for info in infos if info.name in named), None)
        inputs = [info for info in infos if info.kind == "input" and info.shape[self.channel] <= _CHANNELS]
        first = next((info for info in inputs if info.module_type in _CONVOLUTIONS), None)
        return first or next((info for info in inputs if info.module == ""), None)

    def _means(self, trial: Trial, images: TensorInfo, steps: Sequence[int]) -> tuple[np.ndarray, int]:
        """The mean of each channel over the images of these steps, and how many images there were."""
        total, samples = np.zeros(images.shape[self.channel]), 0
        others = tuple(axis for axis in range(4) if axis != self.channel)
        for step in steps:
            if any(info.name == images.name for info in trial.infos(step)):
                array = read(trial, images.name, step)
                if array is not None and array.shape[self.channel] == len(total):
                    total += array.mean(axis=others, dtype=np.float64) * len(array)
                    samples += len(array)
        return total / max(1, samples), samples

    def _finding(self, trial: Trial, step: int, images: TensorInfo, means: np.ndarray, samples: int) -> Finding:
        worst = int(np.abs(means).argmax())
        return Finding(
            rule=self.name,
            step=trial.mode_step(step),
            mode=trial.mode(step).name,
            tensor=images.name,
            module=images.module,
            message=f"Channel {worst} of {images.name} has a mean of {means[worst]:.3g} over {samples} images, further "
            f"from 0 than {self.threshold_mean:g}.",
            why="A network trains faster on inputs around 0, and a pretrained one expects the normalisation it knows.",
            change="transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])  # after ToTensor(); "
            "with the mean and deviation of your data for a network that is not pretrained",
            numbers={"mean": float(means[worst]), "threshold_mean": self.threshold_mean, "images": float(samples)},
        )
