"""What NVIDIA's GPUs do, through the driver's own library (NVML)."""

from __future__ import annotations

import ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sagehound.jobs.samples import Sample

_LIBRARY = "libnvidia-ml.so.1"
_CORE_SENSOR = 0


class _Rates(ctypes.Structure):
    _fields_ = (("gpu", ctypes.c_uint), ("memory", ctypes.c_uint))


class _Memory(ctypes.Structure):
    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Gpus:
    """The devices of one host, named gpu0, gpu1 ... in the order in which its script sees them.

    A machine without a driver has none. What a device does not tell (one that is divided has no utilisation) is left
    out.
    """

    def __init__(self, numbers: Sequence[str], load: Callable[[str], ctypes.CDLL] = ctypes.CDLL) -> None:
        self._devices: list[ctypes.c_void_p] = []
        if not numbers:
            return
        try:
            self._nvml = load(_LIBRARY)
            if self._nvml.nvmlInit_v2() != 0:
                return
        except (OSError, AttributeError):
            return
        for number in numbers:
            device = ctypes.c_void_p()
            if number.isdigit() and self._tells("DeviceGetHandleByIndex_v2", int(number), ctypes.byref(device)):
                self._devices.append(device)

    def samples(self) -> Iterator[Sample]:
        """Percent of the time and of the memory, watts, degrees Celsius."""
        for number, device in enumerate(self._devices):
            name = f"gpu{number}"
            rates, memory = _Rates(), _Memory()
            milliwatts, degrees = ctypes.c_uint(), ctypes.c_uint()
            if self._tells("DeviceGetUtilizationRates", device, ctypes.byref(rates)):
                yield "gpu", name, "GPUUtilization", rates.gpu
            if self._tells("DeviceGetMemoryInfo", device, ctypes.byref(memory)) and memory.total:
                yield "gpu", name, "GPUMemoryUtilization", 100 * memory.used / memory.total
            if self._tells("DeviceGetPowerUsage", device, ctypes.byref(milliwatts)):
                yield "gpu", name, "GPUPowerWatts", milliwatts.value / 1000
            if self._tells("DeviceGetTemperature", device, _CORE_SENSOR, ctypes.byref(degrees)):
                yield "gpu", name, "GPUTemperatureCelsius", degrees.value

    def _tells(self, function: str, *arguments: object) -> bool:
        return bool(getattr(self._nvml, f"nvml{function}")(*arguments) == 0)
