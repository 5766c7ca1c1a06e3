"""What the Python files for other frameworks have in common."""

from pprint import pformat

from chainrule.exports.program import Program

_MEANINGS = {
    "outputs": "The outputs are those of the network.",
    "classes": "The outputs are probabilities, in the order of CLASSES.",
    "labels": "The outputs are the probabilities of CLASSES, of which any may fit.",
    "values": "The outputs are values, in the target's units.",
}


def begin(program: Program, framework: str, usage: str) -> str:
    """Return the docstring of a file."""
    import chainrule

    meaning = _MEANINGS[program.meaning]
    if program.is_single:
        meaning = "The output is the probability of the second of CLASSES."
    if program.columns:
        meaning += (
            "\n\nInputs are the columns INPUTS of the encoded table: "
            "chainrule.load(path).encoder.transform(table)."
        )
        if program.meaning == "values":
            meaning = meaning.replace(
                "values, in the target's units", "(value - TARGET_MEAN)/TARGET_DEVIATION"
            )
    return (
        f'"""A network exported by chainrule {chainrule.__version__} to {framework}.\n\n'
        f'{usage}\n{meaning}\n"""'
    )


def inputs_of(program: Program) -> str:
    """Return the names of a table's inputs, and what its outputs are, as Python."""
    lines = []
    if program.columns:
        names = [name for column in program.columns for name in column.feature_names()]
        lines.append(f"INPUTS = {pformat(names, width=100)}")
        if program.target_mean is not None and program.target_deviation is not None:
            lines.append(f"TARGET_MEAN = {float(program.target_mean[0])!r}")
            lines.append(f"TARGET_DEVIATION = {float(program.target_deviation[0])!r}")
    if program.classes:
        lines.append(f"CLASSES = {pformat(list(program.classes), width=100)}")
    return "\n".join(lines)
