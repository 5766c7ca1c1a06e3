"""The first three steps of three optimizers, worked by hand; docs/explanation/maths prints them.

One weight, W = 1 at the start, and the gradients δW = 1, 2, −1; α = 0.1, β = β₁ = 0.9,
β₂ = 0.999, ε = 10⁻⁸. The numbers were computed with 40 digits and rounded to ten decimals.
"""

W_START = 1.0
LEARNING_RATE = 0.1
GRADIENTS = (1.0, 2.0, -1.0)

MOMENTUM = (
    {"V": 0.1, "W": 0.99},
    {"V": 0.29, "W": 0.961},
    {"V": 0.161, "W": 0.9449},
)
RMSPROP = (
    {"S": 0.1, "W": 0.6837722440},
    {"S": 0.49, "W": 0.3980579624},
    {"S": 0.541, "W": 0.5340148962},
)
ADAM = (
    {"V": 0.1, "S": 0.001, "V_hat": 1.0, "S_hat": 1.0, "W": 0.9000000010},
    {"V": 0.29, "S": 0.004999, "V_hat": 1.5263157895, "S_hat": 2.5007503752, "W": 0.8034817990},
    {"V": 0.161, "S": 0.005994001, "V_hat": 0.5940959410, "S_hat": 1.9999996663, "W": 0.7614728690},
)
STEPS = {"O1": MOMENTUM, "O2": RMSPROP, "O3": ADAM}
DECIMALS = 10
