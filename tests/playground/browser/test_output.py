"""The right column: losses, the map of the outputs and its points."""

import re

import pytest


def pointed(tab, x, y):
    """Point at a place of the map, in shares of its sides; return what is said of it."""
    box = tab.page.locator("canvas.map").bounding_box()
    tab.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
    return tab.page.inner_text(".readout")


def numbers(text):
    return [float(one.replace("−", "-")) for one in re.findall(r"[−\d.]+(?= |,|$)", text)]


def test_the_losses_are_those_of_the_history(tab, session):
    tab.train(3)
    history = session(tab).request("history")
    tab.until(lambda: tab.page.inner_text("dd.train") == f"{history['train'][-1]:.4f}")
    tab.until(lambda: tab.page.inner_text("dd.test") == f"{history['test'][-1]:.4f}")


def test_pointing_at_the_map_tells_place_and_value(tab, session):
    plane = session(tab).description()["plane"]
    tab.until(lambda: pointed(tab, 0.5, 0.5).startswith("x₁ "))
    said = pointed(tab, 0.5, 0.5)
    low, high = plane["x"]["lo"], plane["x"]["hi"]
    assert abs(numbers(said.replace("x₁ ", ""))[0] - (low + high) / 2) <= 0.01 * (high - low)


def test_arrow_keys_point_at_the_map_and_enter_opens_the_nearest_row(tab):
    tab.page.locator("canvas.map").focus()
    tab.page.keyboard.press("ArrowRight")
    tab.until(lambda: "→" in tab.page.inner_text(".readout"))
    tab.page.keyboard.press("Enter")
    tab.page.get_by_text("Predicted").wait_for()


def test_a_row_says_what_the_network_predicts(tab, session):
    tab.page.locator("canvas.map").focus()
    tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.press("Enter")
    card = tab.page.locator(".point-card")
    card.wait_for()
    heading = card.locator("h3").inner_text()
    answer = session(tab).request("point", index=int(heading.split()[-1]))
    assert answer["prediction"] in card.inner_text()
    share = max(answer["probabilities"].values())
    assert f"{100 * share:.1f} %" in card.inner_text()


def test_a_row_that_is_chosen_before_its_card_has_loaded_is_shown(tab):
    come = tab.reloaded_without("point")
    tab.page.locator("canvas.map").focus()
    tab.page.keyboard.press("Enter")
    come()
    tab.page.locator(".point-card").get_by_text("Predicted").wait_for()


def test_the_card_of_a_row_closes(tab):
    tab.page.locator("canvas.map").focus()
    tab.page.keyboard.press("ArrowLeft")
    tab.page.keyboard.press("Enter")
    card = tab.page.locator(".point-card")
    card.get_by_role("button", name="Close").click()
    card.wait_for(state="hidden")


def test_a_table_offers_pairs_of_its_columns_and_the_principal_components(tabs, session):
    tab = tabs.open("#data=sample&name=iris")
    across = tab.page.get_by_label("Across")
    across.wait_for()
    tab.until(lambda: across.locator("option").count() == 5)
    assert session(tab).description()["plane"]["kind"] == "pca"
    across.select_option(index=2)
    chosen = across.locator("option").nth(2).inner_text()
    tab.page.get_by_label("Up", exact=True).wait_for()
    tab.until(lambda: chosen in pointed(tab, 0.3, 0.3))


def test_two_axes_never_show_the_same_column(tabs):
    tab = tabs.open("#data=sample&name=iris")
    across, up = tab.page.get_by_label("Across"), tab.page.get_by_label("Up", exact=True)
    tab.until(lambda: across.locator("option").count() == 5)
    across.select_option(index=1)
    up.wait_for()
    tab.until(lambda: up.input_value() != "")
    across.select_option(up.input_value())
    tab.until(lambda: across.input_value() != up.input_value())


@pytest.mark.parametrize(("name", "count"), [("circle", 2), ("iris", 3), ("digits", 10)])
def test_the_legend_names_the_classes(tabs, name, count):
    kind = "toy" if name == "circle" else "sample"
    tab = tabs.open(f"#data={kind}&name={name}")
    tab.until(lambda: tab.page.locator("ul.classes li").count() == count)


def test_values_have_a_scale_with_numbers(tabs):
    tab = tabs.open("#data=toy&name=plane&inputs=x1,x2")
    scale = tab.page.locator(".scale-numbers span")
    tab.until(lambda: scale.count() == 5)
    shown = [float(text.replace("−", "-")) for text in scale.all_inner_texts()]
    assert shown == sorted(shown)
    assert shown[0] < 0 < shown[-1]
