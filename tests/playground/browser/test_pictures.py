"""Pictures of what the page shows, as files, and links to it."""

import struct
from xml.etree import ElementTree

import pytest

SVG = "{http://www.w3.org/2000/svg}"


def downloaded(tab, tmp_path, entry):
    tab.page.locator("summary", has_text="Picture").click()
    with tab.page.expect_download() as download:
        tab.press(entry)
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    return path


def test_the_network_as_svg_has_a_curve_for_each_weight_and_a_map_for_each_unit(tab, tmp_path):
    path = downloaded(tab, tmp_path, "Network as SVG")
    assert path.name == "network.svg"
    root = ElementTree.parse(path).getroot()
    assert len(root.findall(f"{SVG}path")) == 2 * 4 + 4 * 2 + 2 * 1
    assert len(root.findall(f"{SVG}image")) == 2 + 4 + 2 + 1
    assert "Layer 2" in [text.text for text in root.findall(f"{SVG}text")]


@pytest.mark.parametrize("entry", ["Network as PNG", "Output map as PNG"])
def test_a_png_is_a_picture_of_some_size(tab, tmp_path, entry):
    data = downloaded(tab, tmp_path, entry).read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", data[16:24])
    assert min(width, height) >= 300


def test_a_link_opens_the_page_with_the_chosen_controls_and_the_same_state(tab, tabs):
    tab.page.get_by_role("button", name="Add a hidden layer").click()
    tab.until(lambda: tab.setting("layers") == [4, 2, 2])
    tab.press("Link…")
    dialog = tab.page.get_by_role("dialog")
    dialog.get_by_label("Data and inputs").uncheck()
    address = dialog.get_by_label("Address").input_value()
    other = tabs.open("#" + address.partition("#")[2])
    other.until(lambda: other.state.get("layers") == "[4,2,2]")
    assert other.page.locator("[data-group=data]").is_hidden()
    assert other.page.locator("[data-group=network]").is_visible()
