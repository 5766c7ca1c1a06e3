"""The panels below the network."""

import json
import re
import subprocess
import sys

import polars as pl

import chainrule as cr


def floats(text):
    return float(text.replace("−", "-"))


def test_the_weights_shown_are_those_of_the_network(tab, session):
    tab.train(2)
    tab.page.locator(".unit").nth(2).click()  # the first of layer 1, after two inputs
    rows = tab.page.locator(".editor-row input")
    tab.until(lambda: rows.count() == 3)
    layer = session(tab).weights()[0]
    expected = [layer["b"][0], *layer["W"][0]]
    tab.until(lambda: [floats(rows.nth(i).input_value()) for i in range(3)] == expected)


def test_a_weight_set_by_hand_is_the_weight_of_the_network(tab, session):
    tab.page.locator(".unit").nth(2).click()
    field = tab.page.locator(".editor-row input").nth(1)
    field.fill("0.75")
    field.press("Enter")
    tab.until(lambda: session(tab).weights()[0]["W"][0][0] == 0.75)


def test_the_model_file_predicts_what_the_page_showed(tab, session, tmp_path):
    tab.train(3)
    panel = tab.panel("Point")
    panel.get_by_label("Row", exact=True).fill("7")
    panel.get_by_label("Row", exact=True).press("Enter")
    panel.get_by_role("status").filter(has_text="Row 7:").wait_for()
    panel.get_by_text("Probabilities").wait_for()
    shown = {
        row.locator("th").inner_text(): float(row.locator("td").first.get_attribute("title"))
        for row in panel.locator("table").first.locator("tr").all()
    }
    row = session(tab).request("point", index=7)["row"]
    panel = tab.panel("Export")
    with tab.page.expect_download() as saved:
        panel.get_by_role("link", name="Model file").click()
    saved.value.save_as(tmp_path / "model.safetensors")
    model = cr.load(tmp_path / "model.safetensors")
    predicted = model.predict(pl.DataFrame([row])).row(0, named=True)
    assert {name: predicted[f"probability_{name}"] for name in shown} == shown


def test_the_exported_code_trains_the_same_network(tab, session, tmp_path):
    tab.train(3)
    panel = tab.panel("Export")
    panel.get_by_text("Exact:").wait_for()
    for name in ("Data", "Python code"):
        with tab.page.expect_download() as saved:
            panel.get_by_role("link", name=name, exact=True).click()
        saved.value.save_as(tmp_path / saved.value.suggested_filename)
    script = saved.value.path().read_text(encoding="utf-8")
    assert "import chainrule as cr" in script
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_equations_are_stepped_through_and_typeset(tab):
    tab.train(1)
    panel = tab.panel("Equations")
    panel.get_by_text("Equation 1 of").wait_for()
    total = int(re.search(r"of (\d+)", panel.locator(".one-by-one .note").inner_text())[1])
    panel.get_by_role("button", name="Next").focus()
    seen = []
    for _ in range(total):
        panel.locator(".equation .katex").first.wait_for()
        assert panel.locator(".katex-error").count() == 0
        seen.append(panel.locator(".equation h3").inner_text())
        tab.page.keyboard.press("ArrowRight")
    phases = panel.locator(".phases button")
    assert phases.count() == 5
    assert len(seen) == total
    tab.until(lambda: panel.locator(".phases [aria-current]").inner_text() == "update")


def test_a_weight_has_its_gradient_checked(tab, session):
    tab.train(1)
    tab.page.locator(".unit").nth(2).click()
    tab.page.get_by_role("button", name="Show equations").click()
    panel = tab.page.get_by_role("tabpanel")
    panel.get_by_text("unit 1 of layer 1").wait_for()
    panel.get_by_label("Part").select_option("weight from x2")
    panel.get_by_text("Equations of the weight W[1, 2] of layer 1").wait_for()
    panel.get_by_role("button", name="Check this gradient").click()
    shown = panel.locator(".gradient-check dd")
    shown.first.wait_for()
    check = session(tab).request("gradient_check", name="W", layer=1, row=0, column=1)
    assert float(shown.nth(0).inner_text()) == check["backpropagation"]
    assert float(shown.nth(1).inner_text()) == check["difference"]


def test_the_loss_surface_is_drawn(tab):
    tab.train(2)
    panel = tab.panel("Equations")
    panel.get_by_text("A slice of the loss surface").click()
    panel.locator(".surface canvas").wait_for()
    assert panel.get_by_role("alert").all_inner_texts() == [""] * panel.get_by_role("alert").count()


def test_measures_are_those_of_the_session(tab, session):
    tab.train(3)
    panel = tab.panel("Measures")
    panel.locator("[data-score]").first.wait_for()
    expected = session(tab).request("measures")
    for score in expected["scores"]:
        cell = panel.locator(f"[data-score={score['key']}]")
        assert float(cell.get_attribute("title")) == score["value"]
    counts = [int(text) for text in panel.locator("table.confusion td").all_inner_texts()]
    assert counts == [count for row in expected["confusion"]["counts"] for count in row]


def test_a_wrong_setting_is_refused_beside_its_field(tab):
    panel = tab.panel("All settings")
    field = panel.locator("[data-setting=batch_size] input")
    panel.get_by_label("Find a setting").fill("batch size")
    field.fill("0")
    panel.get_by_role("button", name="Apply").click()
    panel.locator("[data-setting=batch_size] .error", has_text="batch").wait_for()
    assert field.get_attribute("aria-invalid") == "true"
    field.fill("7")
    panel.get_by_role("button", name="Apply").click()
    tab.until(lambda: tab.state.get("batch_size") == "7")


def test_every_setting_of_the_catalogue_is_in_the_form(tab, session):
    panel = tab.panel("All settings")
    panel.locator("[data-setting]").first.wait_for()
    names = panel.locator("[data-setting]").evaluate_all("all => all.map(e => e.dataset.setting)")
    catalogue = session(tab).hello["catalog"]["settings"]
    assert sorted(names) == sorted(row["name"] for row in catalogue)


def test_a_table_is_uploaded_and_learned_from(tab, session, table):
    panel = tab.panel("Your table")
    panel.get_by_label("Drop a file here").set_input_files(table)
    panel.get_by_label("Target").wait_for()
    panel.get_by_label("Target").select_option("price")
    panel.get_by_label("city").uncheck()
    panel.get_by_role("button", name="Train on this table").click()
    tab.until(lambda: tab.state.get("data") == "table" and tab.epoch == 0)
    side = session(tab)
    tab.until(lambda: side.description()["state"]["data"].get("target") == "price")
    assert side.description()["state"]["inputs"] == ["age"]
    tab.train(1)


def test_a_file_that_is_no_table_is_refused(tab, tabs, tmp_path):
    path = tmp_path / "noise.parquet"
    path.write_bytes(bytes(range(256)) * 10)
    panel = tab.panel("Your table")
    panel.get_by_label("Drop a file here").set_input_files(path)
    panel.get_by_role("alert").filter(has_text="noise").wait_for()
    tab.until(lambda: tabs.errors)
    assert "400" in tabs.errors.pop()  # the browser's own note of the refusal


def test_a_point_of_the_map_shows_its_row(tab, session):
    panel = tab.panel("Point")
    panel.get_by_role("button", name="Next row").click()
    panel.get_by_text("Values of the row").wait_for()
    index = int(panel.get_by_label("Row", exact=True).input_value())
    row = session(tab).request("point", index=index)["row"]
    expected = [v if isinstance(v, str) else json.dumps(v) for v in row.values()]
    cells = panel.locator("table").last.locator("td")
    tab.until(lambda: cells.evaluate_all("all => all.map(e => e.title)") == expected)
    panel.get_by_role("button", name="step by step").click()
    tab.page.get_by_text(f"row {index}").first.wait_for()


def test_settings_that_a_table_decides_are_shown_as_they_are(tab, session, table):
    panel = tab.panel("Your table")
    panel.get_by_label("Drop a file here").set_input_files(table)
    panel.get_by_label("Target").select_option("price")
    panel.get_by_role("button", name="Train on this table").click()
    tab.until(lambda: tab.state.get("data") == "table")
    tab.until(lambda: tab.page.get_by_label("Activation", exact=True).input_value() == "silu")
    used = session(tab).description()["settings"]
    labels = {"Regularization rate": "l2", "Learning rate": "learning_rate"}
    for label, name in labels.items():
        shown = tab.page.get_by_label(label, exact=True)
        tab.until(lambda shown=shown, name=name: float(shown.input_value()) == used[name])
    form = tab.panel("All settings")
    field = form.locator("[data-setting=l2] input")
    assert float(field.get_attribute("placeholder")) == used["l2"]


def test_the_form_of_settings_follows_the_other_controls(tab):
    form = tab.panel("All settings")
    tab.page.get_by_label("Optimizer", exact=True).select_option("adam")
    tab.until(lambda: form.locator("[data-setting=optimizer] select").input_value() == "adam")


def test_a_table_that_nothing_can_be_learned_from_says_so_and_leads_back(tab, tmp_path):
    path = tmp_path / "flat.csv"
    path.write_text("size,kind\n" + "".join(f"{n},same\n" for n in range(40)), encoding="utf-8")
    tab.train(1)
    panel = tab.panel("Your table")
    panel.get_by_label("Drop a file here").set_input_files(path)
    panel.get_by_label("Target").select_option("kind")
    panel.get_by_role("button", name="Train on this table").click()
    tab.page.locator(".notes.bad-news", has_text="one class").wait_for()
    assert tab.page.get_by_text("The network learns to predict").count() == 0
    tab.page.locator("label.thumbnail", has_text="Circle").click()
    tab.until(lambda: tab.state.get("data") == "toy")
    tab.page.locator(".notes.bad-news").wait_for(state="hidden")
    tab.train(1)
