"""Writes the seed corpora: what the package itself writes and reads, and the edges of that."""

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

import chainrule as cr
from chainrule.model.table_model import TableModel
from chainrule.network.spec import NetworkSpec
from chainrule.tables.encoder import TableEncoder
from chainrule.tables.target import TargetEncoder
from chainrule.training.events import EpochEnded, StepsEnded

CORPUS = Path(__file__).parent / "corpus"

NETWORKS = {
    "plain": ([2, cr.Dense(3, "tanh"), cr.Dense(1, "identity")], "mse"),
    "classes": ([2, cr.Dense(3, "leaky_relu(slope=0.2)"), cr.Dense(2, "softmax")], "cross_entropy"),
    "layers": (
        [2, cr.Dense(3), cr.BatchNorm("relu"), cr.Dropout(0.5), cr.Dense(1, "sigmoid")],
        "binary_focal(gamma=3)",
    ),
    "heads": (
        [2, cr.Dense(3, "heads(softmax:2, identity:1)")],
        "heads(cross_entropy:2, 0.5*huber(delta=1.5):1)",
    ),
}
TABLE = pl.DataFrame(
    {
        "number": [1.0, None, 4.0],
        "kind": ["red", "blue", "red"],
        "day": ["2024-02-29", "2024-03-01", "2024-03-02"],
        "yes": [True, False, None],
    }
).with_columns(pl.col("day").str.to_date())
TABLES = {
    "plain.csv": b"a,b,kind\n1,2.5,yes\n3,,no\n",
    "quoted.csv": b'"a ",b\r\n"x, ""y""",1\r\n\r\n"line\nend",2\r\n',
    "bom.csv": b"\xef\xbb\xbfa,b\n1,true\n2,false\n",
    "tabs.tsv": b"\ta\tb\n1\t2\t3\n",
    "numbers.csv": b"n,m\n9223372036854775808,1e400\n-1,nan\n0x10,inf\n",
    "semicolons.csv": b"a;b\n1;2\n",
    "broken.csv": b'a,b\n1,2,3\n"open,4\n',
    "binary.csv": b"a,b\n\x00\xff,2\n",
    "index.csv": b",a,b\n0,1,x\n1,2,y\n",
    "row_names.csv": b'"a"\n"1",1\n"2",2\n',
    "title.csv": b"A title, of two\n\na,b,c\n1,2,3\n4,5,6\n",
    "comments.csv": b"# by a tool\na,b\n1,2\n# end\n",
    "sep.csv": b"sep=;\na;b;\n1;2;\n;;\n",
    "inches.csv": b'a,b\n3",x\n"y "z" ",5\n',
    "open.csv": b'a,b\n"1,2\n3,4\n"5,6\n',
    "joined.csv": b"\xef\xbb\xbfa,b\n1,2\n\xef\xbb\xbfa,b\n3,4\n",
    "old_mac.csv": b"a,b\r1,2\r3,4\r",
    "utf16.csv": "a,b\n1,2\n3,4\n".encode("utf-16-le"),
    "nul.csv": b"a,b\n1,x\0y\n3,4\n\0\0\0\0",
    "written_1.csv": b"%1",
    "written_2.csv": b"%2: people write numbers, dates and words",
    "european.csv": "preis;tag;zeit\n1.299,9 €;05.01.2024;27:30\n8,5 €;NA;3:05\n".encode(),
    "lines.jsonl": b'{"a":NaN,"b":"x"}\n{"a":-Infinity}\n{"a":1e999}\n',
}


def main() -> None:
    """Write all of them."""
    for name, (layers, cost) in NETWORKS.items():
        net = cr.Network(layers, cost=cost, seed=0)
        write("spec_json", name, net.spec.to_json().encode())
        write("model_file", name, opened(net))
    spec = NetworkSpec(2, (cr.Dense(2, "softmax"),), "cross_entropy", "glorot_uniform", "float64")
    write("spec_json", "double", spec.to_json().encode())
    for task, aim in (("classification", ["x", "y", "x"]), ("regression", [0.5, 1.5, 4.0])):
        encoder, target = (
            TableEncoder().fit(TABLE),
            TargetEncoder.fit(pl.Series("t", aim), task=task),
        )
        activation, cost = ("softmax", "cross_entropy") if target.classes else ("identity", "mse")
        layers = [encoder.n_inputs, cr.Dense(target.n_outputs, activation)]
        model = TableModel(cr.Network(layers, cost=cost, seed=0), encoder, target, {"rows": 3})
        write("model_file", task, opened(model))
        (header, numbers), (own, own_numbers) = encoder.to_file(), target.to_file()
        headers = {key: json.loads(text) for key, text in (header | own).items()}
        values = np.concatenate([*numbers.values(), *own_numbers.values()])
        write("table_encoder", task, json.dumps(headers).encode() + b"\n\n" + values.tobytes())
    texts = {"day": ["05.01.2024"] * 2 + ["NA"], "number": ["1.299,99 €", "-5,5 €", ""]}
    texts |= {"kind": ["27:30", "0:05", "12:00"], "yes": ["TRUE", "false", "1.5K"]}
    (header, numbers), (own, own_numbers) = (
        TableEncoder().fit(pl.DataFrame(texts)).to_file(),
        TargetEncoder.fit(pl.Series("t", [0.5, 1.5, 4.0])).to_file(),
    )
    headers = {key: json.loads(text) for key, text in (header | own).items()}
    values = np.concatenate([*numbers.values(), *own_numbers.values()])
    write("table_encoder", "written", json.dumps(headers).encode() + b"\n\n" + values.tobytes())
    golden = CORPUS.parents[1] / "tests" / "files" / "golden"
    for path in [*golden.glob("model-v*.safetensors"), *golden.glob("estimator-*.safetensors")]:
        write("model_file", path.stem, in_parts(path.read_bytes()))
    for name, content in TABLES.items():
        write("csv_table", name, content)
    (CORPUS / "checkpoint").mkdir(exist_ok=True)
    for name, content in checkpoints():
        write("checkpoint", name, content)
    for length in (64, 256, 1024):
        noise = np.random.default_rng(length).integers(0, 256, length, np.uint8)
        write("native_boundary", f"noise{length}", noise.tobytes())


def checkpoints() -> Iterator[tuple[str, bytes]]:
    """Yield checkpoints from within an epoch, from between two, and from the end."""
    from checkpoint import network, train

    for stop in (4, 9, 12):
        with tempfile.TemporaryDirectory() as folder:
            path, steps = Path(folder) / "training.ckpt", 0

            def count(event: object, stop: int = stop) -> None:
                nonlocal steps
                steps += isinstance(event, StepsEnded | EpochEnded)
                if steps == stop:
                    raise InterruptedError

            with contextlib.suppress(InterruptedError):
                train(network(), path, every=1, callbacks=[count])
            yield f"step{stop}", in_parts(path.read_bytes()[:-32])


def opened(model: cr.Network | TableModel) -> bytes:
    """Return a model file as the target takes it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        model.save(path)
        return in_parts(path.read_bytes())


def in_parts(content: bytes) -> bytes:
    """Return a safetensors file as a header, two line ends, the arrays."""
    length = int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8 : 8 + length])).encode()
    header += b" " * (-len(header) % 8)
    return header + b"\n\n" + content[8 + length :]


def write(target: str, name: str, content: bytes) -> None:
    """Write one seed."""
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
