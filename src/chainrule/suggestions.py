"""Suggestions for names that do not exist: "did you mean 'relu'?".

Every refusal of a name, in Python and on the command line, ends with `did_you_mean`.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

OTHER_NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        # Activations.
        "linear": ("identity",),
        "none": ("identity",),
        "logistic": ("sigmoid",),
        "swish": ("silu",),
        "exp": ("exponential",),
        "prelu": ("leaky_relu",),
        # Costs, losses and metrics.
        "l2": ("mse", "squared_error"),
        "mean_squared_error": ("mse", "squared_error", "rmse"),
        "squared_error": ("mse",),
        "mse": ("squared_error", "rmse"),
        "mseloss": ("mse", "squared_error"),
        "l1": ("absolute_error", "mae"),
        "l1loss": ("absolute_error",),
        "mae": ("absolute_error",),
        "mean_absolute_error": ("mae", "absolute_error"),
        "smooth_l1": ("huber",),
        "pinball": ("quantile",),
        "log_loss": ("cross_entropy",),
        "nll": ("cross_entropy", "log_loss"),
        "cross_entropy": ("log_loss",),
        "cross_entropy_loss": ("cross_entropy", "log_loss"),
        "categorical_crossentropy": ("cross_entropy", "log_loss"),
        "sparse_categorical_crossentropy": ("cross_entropy", "log_loss"),
        "binary_crossentropy": ("binary_cross_entropy", "log_loss"),
        "bce": ("binary_cross_entropy", "log_loss"),
        "bceloss": ("binary_cross_entropy", "log_loss"),
        "bcewithlogitsloss": ("binary_cross_entropy", "log_loss"),
        "acc": ("accuracy",),
        "r2_score": ("r2",),
        "r_squared": ("r2",),
        # Optimizers and schedules.
        "gd": ("sgd",),
        "gradient_descent": ("sgd",),
        "nag": ("nesterov",),
        "cosine_annealing": ("cosine",),
        "step": ("staircase",),
        # Initialisers, engines and types.
        "xavier": ("glorot_uniform",),
        "xavier_uniform": ("glorot_uniform",),
        "xavier_normal": ("glorot_normal",),
        "kaiming": ("he_normal",),
        "kaiming_uniform": ("he_uniform",),
        "kaiming_normal": ("he_normal",),
        "he": ("he_normal",),
        "zero": ("zeros",),
        "numpy": ("reference",),
        "compiled": ("native",),
        "cpp": ("native",),
        "gpu": ("jax",),
        "cuda": ("jax",),
        "tpu": ("jax",),
        "xla": ("jax",),
        "double": ("float64",),
        "single": ("float32",),
        # Arguments.
        "lr": ("learning_rate_init", "learning_rate", "initial", "maximum"),
        "alpha": ("learning_rate", "l2"),
        "learning_rate": ("learning_rate_init", "initial", "maximum"),
        "loss": ("cost",),
        "cost": ("loss",),
        "criterion": ("cost", "loss"),
        "objective": ("cost", "loss"),
        "optimiser": ("optimizer", "solver"),
        "optimizer": ("solver",),
        "solver": ("optimizer",),
        "opt": ("optimizer", "solver"),
        "bs": ("batch_size",),
        "batch": ("batch_size",),
        "n_epochs": ("epochs", "max_iter"),
        "num_epochs": ("epochs", "max_iter"),
        "nb_epoch": ("epochs", "max_iter"),
        "epochs": ("max_iter",),
        "max_iter": ("epochs",),
        "max_epochs": ("epochs", "max_iter"),
        "iterations": ("epochs", "max_iter"),
        "validation_split": ("validation_fraction",),
        "validation_fraction": ("validation_split",),
        "val_split": ("validation_split", "validation_fraction"),
        "val_data": ("validation_data", "X_val"),
        "eval_set": ("validation_data", "X_val"),
        "validation_data": ("X_val",),
        "patience": ("early_stopping", "n_iter_no_change"),
        "activation_function": ("activation",),
        "act": ("activation",),
        "nonlinearity": ("activation",),
        "kernel_initializer": ("init",),
        "initializer": ("init",),
        "initialiser": ("init",),
        "weight_init": ("init",),
        "random_state": ("seed",),
        "random_seed": ("seed", "random_state"),
        "seed": ("random_state",),
        "momentum": ("beta",),
        "betas": ("beta_1",),
        "eps": ("epsilon",),
        "rho": ("beta",),
        "weight_decay": ("l2", "alpha"),
        "regularization": ("l2", "alpha"),
        "l2_regularization": ("l2", "alpha"),
        "neurons": ("units",),
        "size": ("units",),
        "out_features": ("units",),
        "n_units": ("units",),
        "hidden_units": ("hidden_layer_sizes",),
        "hidden_layers": ("hidden_layer_sizes",),
        "hidden_layer_sizes": ("layers",),
        "layers": ("hidden_layer_sizes",),
        "dropout_rate": ("dropout", "rate"),
        "p": ("rate",),
        "clipnorm": ("max_grad_norm",),
        "clip_norm": ("max_grad_norm",),
        "gradient_clipping": ("max_grad_norm",),
        "n_jobs": ("threads",),
        "num_threads": ("threads",),
        "device": ("engine",),
        "backend": ("engine",),
        "weights": ("sample_weight",),
        "standardise": ("standardize",),
        "scale": ("standardize", "scaling"),
        "y": ("Y", "target"),
        "label": ("target",),
        "labels": ("Y", "y"),
        "targets": ("Y", "y"),
    }
)
"""What scikit-learn, Keras and PyTorch call something, and our names for it; the first that exists
where the name was used is suggested."""


def nearest(name: object, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant, or None.

    It is the same name with other capitals or separators, what another library calls it, or a name
    that is spelled much like it, in this order.

    Examples
    --------
    >>> nearest("LeakyReLU", ["relu", "leaky_relu"])
    'leaky_relu'
    >>> nearest("xavier", ["zeros", "glorot_uniform"])
    'glorot_uniform'
    >>> nearest(">50k", ["<=50K", ">50K"])
    '>50K'
    """
    if not isinstance(name, str):
        return None
    names = list(names)
    plain = _plain(name)
    for other in names:  # ">50k" is ">50K", and not "<=50K"
        if other.casefold() == name.casefold():
            return other
    for other in names:
        if _plain(other) == plain and plain:
            return other
    for other in _OTHER_NAMES.get(plain, ()):
        if other in names:
            return other
    from difflib import get_close_matches  # imported only when something is wrong

    return next(iter(get_close_matches(name, names, n=1)), None)


def did_you_mean(name: object, names: Iterable[str]) -> str:
    """Return the end of an error message: "; did you mean 'relu'?", or "" without a suggestion."""
    near = nearest(name, names)
    return "" if near is None else f"; did you mean {near!r}?"


def _plain(name: str) -> str:
    """Return a name without capitals and separators."""
    return "".join(filter(str.isalnum, name.casefold()))


_OTHER_NAMES = {_plain(name): ours for name, ours in OTHER_NAMES.items()}
