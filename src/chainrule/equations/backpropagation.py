"""The four equations of backpropagation: BP1 (and BP1s for softmax) to BP4.

The errors δ[l] = ∂C/∂z[l], one column per example, are propagated from layer to layer. BP1 and BP2
share their second factor, the derivative of the activation: ∂C/∂A comes from the cost (∂C/∂A[L] =
∇ₐC) or from the layer above (∂C/∂A[l] = W[l+1]ᵀ·δ[l+1]), and is then multiplied by σ′
(`output_error`) or by softmax's Jacobian (`softmax_error`). So every kind of layer can be below
every other.
"""

from collections.abc import Callable

from chainrule.equations._array import Array, namespace


def output_error(grad_A: Array, Z: Array, derivative: Callable[[Array], Array]) -> Array:
    """BP1: δ[L] = ∇ₐC ⊙ σ′(Z[L]), for an element-wise σ.

    Parameters
    ----------
    grad_A : array (n, m)
        ∂C/∂A: ∇ₐC at the output; W[l+1]ᵀ·δ[l+1] inside BP2.
    Z : array (n, m)
        Pre-activations of the same layer.
    derivative : callable
        σ′, element-wise.

    Returns
    -------
    delta : array (n, m)
    """
    return grad_A * derivative(Z)


def softmax_error(grad_A: Array, A: Array) -> Array:
    """BP1s: δ[L] = Jᵀ ∇ₐC; per column δ = a ⊙ (g − (g·a)), g = ∇ₐC.

    The product with the full Jacobian without building it: O(n) per column instead of O(n²).

    Parameters
    ----------
    grad_A : array (n, m)
    A : array (n, m)
        The layer's softmax output; columns sum to 1.

    Returns
    -------
    delta : array (n, m)
    """
    xp = namespace(A)
    return A * (grad_A - xp.sum(grad_A * A, axis=0, keepdims=True))


def softmax_jacobian(a: Array) -> Array:
    """BP1s Jacobian: Jᵢⱼ = ∂aᵢ/∂zⱼ = aᵢ(1ᵢ₌ⱼ − aⱼ), of one example.

    Parameters
    ----------
    a : array (n,)
        Softmax output of one example.

    Returns
    -------
    J : array (n, n)
        Symmetric; aᵢ(1 − aᵢ) on the diagonal, −aᵢaⱼ off it.
    """
    xp = namespace(a)
    identity = xp.eye(a.shape[0], dtype=a.dtype)
    return a[:, None] * (identity - a[None, :])


def hidden_error(
    W_next: Array, delta_next: Array, through_activation: Callable[[Array], Array]
) -> Array:
    """BP2: δ[l] = (W[l+1]ᵀ · δ[l+1]) ⊙ σ′(Z[l]).

    Parameters
    ----------
    W_next : array (n[l+1], n[l])
        Weights of the layer above.
    delta_next : array (n[l+1], m)
        Error of the layer above.
    through_activation : callable
        ∂C/∂A[l] ↦ δ[l], the second factor: `output_error` with this layer's Z[l] and σ′, or
        `softmax_error` with its A[l] if a hidden layer is a softmax.

    Returns
    -------
    delta : array (n[l], m)
    """
    return through_activation(W_next.T @ delta_next)


def bias_gradient(delta: Array) -> Array:
    """BP3: ∂C/∂b[l] = δ[l]; over the batch, the mean of its columns.

    Parameters
    ----------
    delta : array (n[l], m)

    Returns
    -------
    db : array (n[l], 1)
    """
    xp = namespace(delta)
    return xp.mean(delta, axis=1, keepdims=True)


def weight_gradient(delta: Array, A_prev: Array) -> Array:
    """BP4: ∂C/∂W[l]ⱼₖ = a[l−1]ₖ δ[l]ⱼ; over the batch, (1/m) δ[l] · A[l−1]ᵀ.

    Parameters
    ----------
    delta : array (n[l], m)
    A_prev : array (n[l-1], m)

    Returns
    -------
    dW : array (n[l], n[l-1])
    """
    return (delta @ A_prev.T) / delta.shape[1]
