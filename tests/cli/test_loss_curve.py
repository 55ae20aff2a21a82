"""The loss curve is a picture."""

from PIL import Image

from sagehound.cli.loss_curve import draw_loss_curve


def test_the_curve_is_a_png(tmp_path):
    history = {"train": [{"step": n, "loss": 1 / n} for n in range(1, 20)], "test": {"loss": 0.1}}
    draw_loss_curve(history, "best-model", tmp_path / "new" / "loss.png")
    with Image.open(tmp_path / "new" / "loss.png") as image:
        assert image.format == "PNG"
        assert len(image.convert("RGB").getcolors(1 << 20)) > 10
