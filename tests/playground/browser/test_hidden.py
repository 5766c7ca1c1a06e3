"""A page that nobody looks at."""


def turn(tab, state):
    """Let the page believe that its tab is hidden or visible."""
    tab.page.evaluate(
        """state => {
            const now = { value: state, configurable: true };
            Object.defineProperty(document, "visibilityState", now);
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        state,
    )


def test_a_training_waits_while_its_page_is_hidden(tab, session):
    tab.run()
    tab.until(lambda: tab.epoch > 2)
    turn(tab, "hidden")
    tab.until(lambda: not session(tab).status()["running"])
    turn(tab, "visible")
    tab.until(lambda: session(tab).status()["running"])


def test_a_training_as_fast_as_it_goes_does_not_wait(tabs, session):
    tab = tabs.open("#data=toy&name=circle&epochs=1000000")  # a thousand would end within a second
    tab.until(lambda: tab.setting("epochs") == 1_000_000)
    tab.page.get_by_label("Speed").select_option("fastest")
    tab.run()
    tab.until(lambda: tab.epoch > 2)
    turn(tab, "hidden")
    tab.page.wait_for_timeout(300)
    before = session(tab).request("weights")["epoch"]
    tab.until(lambda: session(tab).request("weights")["epoch"] > before)


def test_a_training_that_waits_is_not_started_by_a_look(tab, session):
    tab.train(1)
    turn(tab, "hidden")
    turn(tab, "visible")
    tab.page.wait_for_timeout(300)
    assert not session(tab).status()["running"]
