"""Each control of the page does what it says."""


def test_run_trains_and_pause_stops_all_updates(tab, session):
    tab.run()
    tab.until(lambda: tab.epoch > 3)
    tab.pause()
    side = session(tab)
    tab.until(lambda: tab.step == side.status()["step"])  # no frame is under way
    seen = tab.step, tab.page.inner_text("dl.losses")
    tab.page.wait_for_timeout(500)
    assert (tab.step, tab.page.inner_text("dl.losses")) == seen
    assert side.request("weights")["epoch"] == tab.epoch


def test_an_epoch_and_a_batch_are_one_step_each(tab, session):
    tab.train(2)
    tab.page.get_by_role("button", name="Train one step").click()
    tab.until(lambda: session(tab).status()["step"] % 25 == 1)
    assert tab.epoch == 2


def test_reset_goes_back_to_the_same_initial_weights(tab, session):
    before = session(tab).weights()
    tab.train(2)
    assert session(tab).weights() != before
    tab.page.get_by_role("button", name="Reset").click()
    tab.until(lambda: tab.epoch == 0)
    assert session(tab).weights() == before


def test_a_thumbnail_chooses_the_data(tab):
    for title, name in [("Exclusive or", "xor"), ("Spiral", "spiral"), ("Iris", "iris")]:
        tab.page.locator("label.thumbnail", has_text=title).click()
        tab.until(lambda name=name: tab.state.get("name") == name)


def test_the_problem_type_offers_other_data(tab):
    tab.page.get_by_label("Problem").select_option("regression")
    tab.until(lambda: tab.state["name"] == "plane")


def test_each_list_sets_its_setting(tab):
    for label, value, name, setting in [
        ("Learning rate", "0.1", "learning_rate", 0.1),
        ("Activation", "relu", "activation", "relu"),
        ("Optimizer", "adam", "optimizer", "adam"),
        ("Batch size", "32", "batch_size", 32),
    ]:
        tab.page.get_by_label(label, exact=True).select_option(value)
        tab.until(lambda name=name, setting=setting: tab.setting(name) == setting)


def test_the_learning_rate_changes_without_a_reset(tab):
    tab.train(1)
    tab.page.get_by_label("Learning rate").select_option("0.1")
    tab.until(lambda: tab.setting("learning_rate") == 0.1)
    assert tab.epoch == 1


def test_a_penalty_needs_its_kind_and_its_rate(tab):
    rate = tab.page.get_by_label("Regularization rate")
    assert rate.is_disabled()
    tab.page.get_by_label("Regularization", exact=True).select_option("l2")
    rate.select_option("0.01")
    tab.until(lambda: tab.state.get("l2") == "0.01")


def test_each_slider_draws_the_data_anew(tab):
    for label, typed, name, value in [("Noise", "20", "noise", 20), ("Rows", "300", "rows", 300)]:
        tab.page.get_by_label(label, exact=True).fill(typed)
        tab.until(lambda name=name, value=value: tab.setting(name) == value)
    tab.page.get_by_label("Training share").fill("70")
    tab.until(lambda: (tab.setting("split") or [0])[0] == 0.7)


def test_regenerate_draws_other_points(tab, session):
    before = session(tab).description()["points"]["x"]
    tab.press("Regenerate")
    tab.until(lambda: session(tab).description()["points"]["x"] != before)


def test_an_input_is_added_and_taken_away(tab, session):
    box = tab.page.get_by_label("x₁²", exact=True)
    box.check()
    tab.until(lambda: tab.state.get("inputs", "").count(",") == 2)
    tab.until(lambda: len(session(tab).description()["inputs"]) == 3)
    box.uncheck()
    tab.until(lambda: len(session(tab).description()["inputs"]) == 2)


def test_the_last_input_stays(tab):
    tab.page.get_by_label("x₂", exact=True).uncheck()
    tab.until(lambda: tab.state.get("inputs") == "x1")
    tab.page.get_by_label("x₁", exact=True).click()
    tab.page.get_by_text("at least one input").wait_for()
    assert tab.page.get_by_label("x₁", exact=True).is_checked()


def test_layers_and_units_are_added_and_taken_away(tab):
    page = tab.page
    page.get_by_role("button", name="Add a unit to layer 1").click()
    tab.until(lambda: tab.setting("layers") == [5, 2])
    page.get_by_role("button", name="Remove a unit from layer 2").click()
    tab.until(lambda: tab.setting("layers") == [5, 1])
    page.get_by_role("button", name="hidden layer", exact=False).first.click()
    tab.until(lambda: len(tab.setting("layers")) != 2)


def test_one_layer_gets_another_activation(tab):
    tab.page.get_by_label("Activation of layer 2").select_option("relu")
    tab.until(lambda: tab.setting("activation") == ["tanh", "relu"])


def test_the_slider_goes_back_to_an_epoch_and_to_the_present(tab, session):
    tab.train(3)
    slider = tab.page.get_by_label("Look back")
    tab.until(lambda: slider.get_attribute("max") == "3")
    slider.fill("1")
    tab.until(lambda: session(tab).status()["travel"] == 1)
    tab.until(lambda: tab.epoch == 1)
    tab.press("Back to the present")
    tab.until(lambda: tab.epoch == 3)


def test_test_rows_and_the_discrete_map_are_drawn(tab):
    def picture():
        return tab.page.evaluate(
            "[...document.querySelectorAll('.map-frame canvas')].map(c => c.toDataURL()).join()"
        )

    before = picture()
    tab.page.get_by_label("Show test data").check()
    tab.until(lambda: picture() != before)
    before = picture()
    tab.page.get_by_label("Discrete output").check()
    tab.until(lambda: picture() != before)


def test_the_drawing_shows_the_backward_pass(tab):
    def picture():
        return tab.page.evaluate(
            "document.querySelector('[data-group=network] canvas').toDataURL()"
        )

    tab.train(1)
    forward = picture()
    tab.page.get_by_text("Backward", exact=True).click()
    tab.until(lambda: picture() != forward)
    backward = picture()
    tab.page.get_by_text("Forward", exact=True).click()
    tab.until(lambda: picture() != backward)


def test_a_link_leaves_controls_out(tabs):
    tab = tabs.open("#hide=data,settings")
    assert tab.page.locator("[data-group=data]").is_hidden()
    assert tab.page.locator("[data-group=settings]").is_hidden()
    assert tab.page.locator("[data-group=run]").is_visible()
    tab.press("Show all controls")
    assert tab.page.locator("[data-group=data]").is_visible()


def test_an_address_opens_the_training_that_it_names(tabs, session):
    address = (
        "#data=toy&name=xor&noise=5&rows=200&inputs=x1,x2,x1_times_x2&layers=[3]&activation=relu"
    )
    tab = tabs.open(address)
    tab.until(lambda: tab.state.get("name") == "xor")
    state = session(tab).description()["state"]
    assert state["data"]["name"] == "xor"
    assert state["data"]["noise"] == 5
    assert state["inputs"] == ["x1", "x2", "x1_times_x2"]
    assert state["settings"]["layers"] == [3]


def test_a_wrong_address_is_refused_in_a_sentence(tabs):
    tab = tabs.open("#data=toy&name=circle&activation=relo")
    tab.page.locator(".message.error", has_text="relo").wait_for()
    tab.train(1)  # the server's own network, whose first picture came before the refusal


def test_two_trainings_stand_side_by_side(tab):
    tab.press("Compare")
    tab.until(lambda: tab.page.locator("article.experiment").count() == 2)
    tab.page.locator("article.experiment").nth(1).get_by_label("Learning rate").select_option("0.1")
    tab.until(lambda: tab.setting("b.learning_rate") == 0.1)
    tab.press("Run both")
    tab.until(lambda: min(tab.epochs) > 2)
    tab.press("Pause both")
    tab.press("End comparison")
    tab.until(lambda: tab.page.locator("article.experiment").count() == 1)


def test_a_link_of_another_version_opens_without_the_settings_that_are_not_known(tabs):
    tab = tabs.open("#data=toy&name=xor&layers=[3]&sparkle=7")
    tab.page.get_by_text("this version does not know; they are left out: sparkle").first.wait_for()
    assert (tab.state["name"], tab.setting("layers")) == ("xor", [3])
    assert "sparkle" not in tab.state


def test_a_learning_rate_that_a_schedule_changes_is_told_beside_the_one_that_was_set(tabs):
    tab = tabs.open("#data=toy&name=circle&schedule=cosine&epochs=10&learning_rate=0.1")
    now = tab.page.locator(".settings .now").first
    tab.train(1)
    tab.until(lambda: now.inner_text().startswith("now 0.09"))
    tab.page.get_by_role("slider", name="Look back").press("Home")
    tab.until(lambda: now.inner_text() == "")


def test_a_learning_rate_that_was_just_set_is_the_one_of_now(tab):
    tab.train(1)
    tab.page.get_by_label("Learning rate").select_option("0.3")
    tab.until(lambda: tab.setting("learning_rate") == 0.3)
    tab.train(1)
    tab.until(lambda: tab.page.locator(".settings .now").first.inner_text() == "")
