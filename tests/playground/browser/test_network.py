"""The drawing of the network: what it shows, and what can be done in it."""

import pytest


def unit(tab, name):
    return tab.page.get_by_role("button", name=name, exact=True)


def values(tab):
    """The numbers of the editor by their labels."""
    rows = tab.page.locator(".editor-row")
    return {
        rows.nth(i).locator("label").inner_text(): float(rows.nth(i).locator("input").input_value())
        for i in range(rows.count())
    }


def edited(tab, numbers):
    """Wait until the editor has these numbers, exactly: it first has those of the drawing."""
    tab.page.get_by_role("dialog").wait_for()
    tab.until(lambda: list(values(tab).values()) == numbers)
    return values(tab)


def numbers_of(side, layer, unit):
    """The bias of a unit and its weights."""
    here = side.weights()[layer - 1]
    return [here["b"][unit - 1], *here["W"][unit - 1]]


def test_a_unit_shows_its_bias_and_weights_exactly(tab, session):
    tab.train(2)
    unit(tab, "unit 3 of layer 1").click()
    shown = edited(tab, numbers_of(session(tab), 1, 3))
    layer = session(tab).weights()[0]
    assert shown == {
        "bias b₃": layer["b"][2],
        "weight from x₁": layer["W"][2][0],
        "weight from x₂": layer["W"][2][1],
    }


def test_a_unit_that_is_clicked_on_before_the_editor_has_loaded_opens_it(tab):
    come = tab.reloaded_without("editor")
    unit(tab, "unit 3 of layer 1").click()
    come()
    tab.page.get_by_role("dialog").get_by_text("bias b₃").wait_for()


def test_a_number_with_a_comma_or_a_minus_sign_is_read(tab, session):
    unit(tab, "unit 1 of layer 2").click()
    edited(tab, numbers_of(session(tab), 2, 1))
    field = tab.page.locator(".editor-row input").nth(1)
    field.fill("−0,75")
    field.press("Enter")
    tab.until(lambda: session(tab).weights()[1]["W"][0][0] == -0.75)


def test_a_text_that_is_no_number_is_refused_in_a_sentence(tab, session):
    before = session(tab).weights()
    unit(tab, "unit 1 of layer 1").click()
    edited(tab, numbers_of(session(tab), 1, 1))
    field = tab.page.locator(".editor-row input").first
    field.fill("much")
    field.press("Enter")
    tab.page.get_by_text("Expected a number").wait_for()
    assert field.get_attribute("aria-invalid") == "true"
    assert session(tab).weights() == before


def test_escape_closes_the_editor_and_the_focus_returns_to_the_unit(tab):
    unit(tab, "unit 2 of layer 1").click()
    tab.page.get_by_role("dialog").wait_for()
    tab.page.keyboard.press("Escape")
    tab.page.get_by_role("dialog").wait_for(state="hidden")
    assert focused(tab) == "unit 2 of layer 1"


def test_a_link_opens_the_editor_of_its_weight(tab):
    one = unit(tab, "unit 1 of layer 2").bounding_box()
    other = unit(tab, "output").bounding_box()
    x = (one["x"] + one["width"] + other["x"]) / 2
    y = (one["y"] + other["y"] + one["height"]) / 2
    tab.page.mouse.click(x, y)
    tab.page.get_by_role("dialog").wait_for()
    assert "→ output" in tab.page.locator(".editor h3").inner_text()
    assert list(values(tab)) == ["weight from unit 1 of layer 2"]


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("ArrowDown", "input x₂"),
        ("ArrowRight", "unit 2 of layer 1"),
        ("End", "output"),
    ],
)
def test_arrow_keys_lead_from_unit_to_unit(tab, key, name):
    tab.page.locator(".unit").first.focus()
    tab.page.keyboard.press(key)
    assert focused(tab) == name


def test_one_unit_is_in_the_order_of_the_tab_key(tab):
    indices = tab.page.locator(".unit").evaluate_all("units => units.map(unit => unit.tabIndex)")
    assert sorted(set(indices)) == [-1, 0]
    assert indices.count(0) == 1


def test_a_unit_under_the_pointer_is_drawn_large(tab):
    title = tab.page.locator(".map-title")
    tab.until(lambda: title.inner_text() == "Prediction over the plane")
    unit(tab, "unit 2 of layer 1").hover()
    tab.until(lambda: title.inner_text().lower() == "unit 2 of layer 1")
    tab.page.mouse.move(5, 5)
    tab.until(lambda: title.inner_text() == "Prediction over the plane")


def test_of_a_wide_layer_eight_units_are_drawn_and_the_others_counted(tabs):
    tab = tabs.open("#data=toy&name=circle&layers=[60]")
    tab.page.get_by_text("… 52 more").wait_for()
    assert tab.page.get_by_role("button", name="of layer 1").count() == 8


def test_six_hidden_layers_fit_into_the_page_and_a_seventh_is_not_offered(tabs):
    tab = tabs.open("#data=toy&name=circle&layers=[4,4,4,4,4,4]")
    tab.page.get_by_text("6 hidden layers").wait_for()
    more = tab.page.get_by_role("button", name="Add a hidden layer")
    assert more.is_disabled()
    assert "6 hidden layers" in more.get_attribute("title")
    scroller = tab.page.locator(".network-scroll")
    assert scroller.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_a_network_without_hidden_layers_is_drawn(tabs):
    tab = tabs.open("#data=toy&name=gauss&layers=[]")
    tab.page.get_by_text("0 hidden layers").wait_for()
    assert tab.page.get_by_role("button", name="Remove a hidden layer").is_disabled()
    tab.train(1)


def focused(tab):
    return tab.page.evaluate("document.activeElement.getAttribute('aria-label')")


def test_a_layer_with_batch_norm_and_dropout_has_its_activation_and_says_both(tabs):
    tab = tabs.open("#data=toy&name=circle&layers=[4,3]&batch_norm=true&dropout=[0.25]")
    for layer in (1, 2):
        assert tab.page.get_by_label(f"Activation of layer {layer}").input_value() == "tanh"
    texts = [text for text in tab.page.locator(".head-between").all_inner_texts() if text]
    assert texts == ["batch norm, dropout 0.25"] * 2


def test_an_activation_with_a_setting_of_its_own_is_shown(tabs):
    tab = tabs.open("#data=toy&name=circle&layers=[4]&activation=leaky_relu(slope=0.2)")
    for name in ("Activation", "Activation of layer 1"):
        shown = tab.page.get_by_label(name, exact=True)
        assert shown.input_value() == "leaky_relu(slope=0.2)"
