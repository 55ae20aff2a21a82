import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest
import torch
from PIL import Image
from timm.data.transforms_factory import create_transform

from sagehound.vision import backbones, inference
from sagehound.vision.export import export
from tests.vision.images import encoded, picture


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    network, description = backbones.create(backbones.DEFAULT, ("blue", "green", "red"), image_size=64)
    torch.manual_seed(0)
    torch.nn.init.normal_(backbones.classifier(network).weight)
    export(network, description, folder)
    return inference.model_fn(str(folder))


@pytest.fixture
def site():
    """A web server that has /photo.jpg, /endless and nothing else."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = self.path in ("/photo.jpg", "/endless")
            self.send_response(200 if found else 404)
            self.end_headers()
            if found:
                self.wfile.write(encoded(picture()) if self.path == "/photo.jpg" else bytes(100_000))

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("content_type", "format_"), [("image/jpeg", "JPEG"), ("image/png", "PNG"), ("application/x-image", "JPEG")]
)
def test_the_seeds_argmax_takes_the_reply(classifier, content_type, format_):
    image = inference.input_fn(bytearray(encoded(picture(), format_)), content_type)
    response = json.loads(inference.output_fn(inference.predict_fn(image, classifier), "application/json"))
    assert np.argmax(response, 1).shape == (1,)
    assert sum(response[0]) == pytest.approx(1, abs=1e-5)


def test_a_verbose_reply_names_the_class(classifier):
    prediction = inference.predict_fn(picture(), classifier)
    reply = json.loads(inference.output_fn(prediction, "application/json; verbose=true"))
    plain = json.loads(inference.output_fn(prediction, "*/*"))
    assert reply["probabilities"] == plain[0]
    assert reply["classes"] == ["blue", "green", "red"]
    assert reply["label"] == reply["classes"][int(np.argmax(plain))]
    assert reply["probability"] == max(plain[0])


def test_grey_palette_transparent_and_cmyk_photos_are_served(classifier):
    for mode in ("L", "P", "RGBA", "CMYK", "1"):
        image = picture().convert(mode)
        format_ = "JPEG" if mode == "CMYK" else "PNG"
        opened = inference.input_fn(encoded(image, format_), "image/png")
        assert inference.decode(opened, 224).mode == "RGB"
        assert inference.predict_fn(opened, classifier).logits.shape == (1, 3)


def test_a_photo_is_turned_upright():
    exif = Image.Exif()
    exif[0x0112] = 6
    assert inference.read_image(encoded(picture(size=(40, 20)), exif=exif)).size == (20, 40)


@pytest.mark.parametrize(("least_side", "scale"), [(0, 1), (301, 1), (300, 1), (150, 2), (149, 2), (75, 4), (10, 8)])
def test_a_jpeg_is_decoded_no_larger_than_is_needed(least_side, scale):
    exif = Image.Exif()
    exif[0x0112] = 6
    for options in ({}, {"exif": exif}):
        image = inference.read_image(encoded(picture(size=(400, 300)), **options), least_side)
        assert sorted(image.size) == [-(-300 // scale), 400 // scale]
    assert inference.read_image(encoded(picture(size=(400, 300)), "PNG"), least_side).size == (400, 300)


def test_a_decoded_photo_is_served_as_an_opened_one(classifier):
    data = encoded(picture(size=(400, 300)))
    opened, decoded = inference.open_image(data), inference.read_image(data, 73)
    one, other = (inference.predict_fn(image, classifier).logits for image in (opened, decoded))
    assert torch.equal(one, other)


def test_a_photo_cut_short_is_refused_when_the_model_decodes_it(classifier):
    opened = inference.input_fn(encoded(picture())[:700], "image/jpeg")
    with pytest.raises(inference.BadImage, match="700 bytes that are not a whole"):
        inference.predict_fn(opened, classifier)


@pytest.mark.parametrize("size", [(64, 64), (300, 400), (401, 257), (1000, 1000)])
def test_the_transform_is_timms_but_for_rounding(size):
    config = {"input_size": [3, 64, 64], "interpolation": "bicubic", "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}
    config |= {"crop_pct": 0.875, "crop_mode": "center"}
    slope = np.add.outer(np.linspace(0, 120, size[1]), np.linspace(0, 120, size[0])).astype("uint8")
    image = Image.fromarray(slope).convert("RGB")
    ours = inference.build_transform(inference.Description("any", (), config))
    timms = create_transform(**config, is_training=False)
    assert ours.least_side == 73
    assert ours(image).shape == timms(image).shape
    assert (ours(image) - timms(image)).abs().max() < 4 / 255 / 0.2


@pytest.mark.parametrize("change", [{"crop_mode": "squash"}, {"input_size": [3, 64, 48]}])
def test_other_crops_are_timms_own(change):
    config = {"input_size": [3, 64, 64], "interpolation": "bicubic", "mean": [0.5] * 3, "std": [0.2] * 3}
    config |= {"crop_pct": 1.0, "crop_mode": "center", **change}
    ours, timms = inference.build_transform(inference.Description("any", (), config)), create_transform(**config)
    assert torch.equal(ours(picture()), timms(picture()))


@pytest.mark.parametrize("keep", [0, 1, 20, 300, 700])
def test_a_photo_cut_short_is_refused(keep):
    with pytest.raises(inference.BadImage, match=f"{keep} bytes that are not a whole"):
        inference.read_image(encoded(picture())[:keep])


def test_a_png_with_damaged_data_is_refused():
    data = bytearray(encoded(picture(), "PNG"))
    data[60:90] = bytes(30)
    with pytest.raises(inference.BadImage):
        inference.read_image(bytes(data))


@pytest.mark.parametrize("side", [9000, 11000, 15000])
def test_a_bomb_is_refused_before_it_unfolds(side):
    # 9,000 is above our limit alone, 11,000 where Pillow warns, 15,000 where Pillow refuses.
    bomb = encoded(Image.new("1", (side, side)), "PNG")
    assert len(bomb) < 100_000
    with pytest.raises(inference.BadImage, match="over the limit of 64000000"):
        inference.read_image(bomb)


def test_a_photo_by_its_address(site):
    assert inference.input_fn(json.dumps({"url": f"{site}/photo.jpg"}), "application/json").size == (48, 40)
    inline = "data:image/png;base64," + base64.b64encode(encoded(picture(), "PNG")).decode()
    body = json.dumps({"url": inline}).encode()
    assert inference.input_fn(body, "application/json; charset=utf-8").size == (48, 40)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("{", "not JSON"),
        ("[]", 'no text under "url"'),
        ('{"url": 3}', 'no text under "url"'),
        ('{"url": "file:///etc/passwd"}', "is not served"),
        ('{"url": "data:image/png,abc"}', "cannot be read"),
        ('{"url": "data:image/png;base64,a*c"}', "cannot be read"),
        ('{"url": "http://127.0.0.1:1/x.jpg"}', "could not be fetched"),
        ('{"url": "http:///x"}', "could not be fetched"),
    ],
)
def test_addresses_that_can_not_be_served(body, message):
    with pytest.raises(inference.BadRequest, match=message):
        inference.input_fn(body, "application/json")


def test_a_missing_or_endless_page(site, monkeypatch):
    with pytest.raises(inference.BadRequest, match="404"):
        inference.fetch(f"{site}/none.jpg")
    monkeypatch.setattr(inference, "MAX_DOWNLOAD_BYTES", 50_000)
    with pytest.raises(inference.BadRequest, match="larger than 50000 bytes"):
        inference.fetch(f"{site}/endless")


def test_other_types_are_refused_by_name(classifier):
    with pytest.raises(inference.BadRequest, match=r"'text/csv' is not served; send image/jpeg"):
        inference.input_fn(b"1,2", "text/csv")
    with pytest.raises(inference.BadRequest, match="'text/csv' is not served"):
        inference.output_fn(inference.predict_fn(picture(), classifier), "text/csv")
