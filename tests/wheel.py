"""Asks an installed wheel whether it is whole: `make wheel` runs it where there is no compiler."""

import json
import shutil
from importlib.metadata import files

import numpy as np

import chainrule as cr
from chainrule.engines import extension


def main() -> None:
    """Raise if anything is missing."""
    assert not any(shutil.which(name) for name in ("cc", "gcc", "c++", "g++", "clang"))
    assert extension.native is not None, extension.reason
    print(extension.native.cpu_info())

    X = np.random.default_rng(0).standard_normal((200, 4))
    y = (X[:, 0] * X[:, 1] > 0).astype(int)
    net = cr.Network(
        [4, cr.Dense(16, "tanh"), cr.Dense(2, "softmax")], cost="cross_entropy", seed=0
    )
    net.fit(X, y, epochs=200, optimizer=cr.Adam(0.01), engine="native")
    assert (net.predict(X).argmax(axis=1) == y).mean() > 0.9
    net.save("model.safetensors")
    np.testing.assert_array_equal(cr.load("model.safetensors").predict(X), net.predict(X))
    side = X[:, 0] > 0
    assert cr.NetworkClassifier(random_state=0).fit(X, side).score(X, side) > 0.9

    (bill,) = (path for path in files("chainrule") or () if path.name == "chainrule.cdx.json")
    assert bill.parts[-2] == "sboms"
    contents = json.loads(bill.read_text())
    assert contents["bomFormat"] == "CycloneDX"
    assert {part["name"] for part in contents["components"]} == {"nanobind", "robin-map"}
    assert all(part["version"][0].isdigit() for part in contents["components"])
    print("the wheel is whole")


if __name__ == "__main__":
    main()
