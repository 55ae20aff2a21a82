"""Image classification: photos in class folders in, a timm backbone with a head of its own out.

`python -m sagehound.vision.train --data FOLDER` trains; the same file is the entry point of a script-mode job.
The exported model carries `code/inference.py`, which serves it with exactly the transform of training, with or without
Sagehound.
"""

from sagehound.vision import operators

# Every other module here imports torchvision, directly or through timm.
operators.install()
