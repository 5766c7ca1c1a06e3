// What the bindings hand to a kernel: plain numbers and pointers, the same for every instruction
// set. Names and values mirror chainrule/engines/native.py.
#pragma once

#include <cstdint>

namespace chainrule {

enum ActivationKind {
    identity,
    sigmoid,
    tanh_,
    relu,
    leaky_relu,
    elu,
    selu,
    gelu,
    silu,
    mish,
    softplus_,
    exponential,
    softmax
};
enum CostKind {
    mean_squared_error,
    binary_cross_entropy,
    cross_entropy,
    absolute_error,
    huber,
    quantile,
    log_cosh,
    binary_focal,
    focal,
    poisson
};
enum OptimizerKind {
    gradient_descent,
    momentum,
    rmsprop,
    adam,
    heavy_ball,
    nesterov,
    adamw,
    nadam,
    lion
};

// Vectors of state.
constexpr int slots_of(int optimizer) {
    const bool two = optimizer == adam || optimizer == adamw || optimizer == nadam;
    return two ? 2 : optimizer == gradient_descent ? 0 : 1;
}

enum LayerKind { dense, dropout, batch_norm, category_embedding };

// An input that is a code, a whole number from 0 to `codes` − 1, and its table in the parameters.
struct Lookup {
    int column, codes, dimension;
};

struct Layer {
    int kind;
    int n_in, n_out;
    int activation;
    double parameter; // slope or alpha; the rate of dropout
    long begin;       // of its parameters in the flat vector: dense has W, then b; batch
                      // normalisation γ, β, then the running μ and v; embeddings table by table
    double momentum = 0, epsilon = 0; // of batch normalisation
    int lookups = 0;                  // of category embeddings
    const Lookup *lookup = nullptr;
};

// Some of the output layer's units, with an activation and a cost of their own.
struct Head {
    int units;
    int activation;
    double parameter;
    int cost;
    double cost_parameter;
    double weight; // of the cost in the sum
};

struct Network {
    int count;
    const Layer *layers;
    int cost;
    bool fused;
    double cost_parameter; // delta, quantile or gamma
    long parameters;       // in the flat vector
    int heads = 0;         // 0: the output layer's activation and the cost above are all there is
    const Head *head = nullptr;
};

template <typename T> struct Examples {
    const T *X;                  // (m, n[0]) rows
    const T *Y;                  // (m, n[L]) rows, or nullptr where there are classes
    const std::int32_t *classes; // (m,): the row of Y that is 1
    const T *weights;
    const std::int32_t *order; // which rows, or nullptr: 0, 1, …
    long count;                // of one epoch
    long rows;                 // of X
    long epochs = 1;           // order holds one after the other; no batch goes across
};

template <typename T> struct Update {
    int kind;
    double beta_1, beta_2, epsilon;
    T *slots[2];
    std::int64_t t; // updates made before the first step
    const double *learning_rates;
    double l1, l2;
    bool plain_epsilon = false;  // O3e instead of O3
    bool divided = false;        // P3: penalties over the batch's sum of weights
    double *penalties = nullptr; // of the parameters before each step
    double weight_decay = 0;     // decoupled: O6, O8
    double max_norm = 0;         // of the gradient; 0: any
    std::uint64_t key = 0;       // of the random numbers that steps draw (dropout)
};

// Called by the calling thread about every 20 ms; true: stop.
using StopTest = bool (*)(void *);

struct Control {
    int threads; // so many; negative: at most so many, fewer where the work is little
    StopTest stop_test;
    void *stop_context;
};

enum class Outcome { done, stopped, out_of_memory, not_finite };

template <typename T> struct Kernels {
    // Steps that were finished; fewer than asked for only if the stop test said so.
    long (*train)(const Network &, T *parameters, const Examples<T> &, long batch_size,
                  const Update<T> &, double *costs, double *gradient_norms, const Control &);
    // J + penalties; gradient may be nullptr. NaN and *stopped if the stop test said so.
    double (*loss)(const Network &, const T *parameters, const Examples<T> &, double l1, double l2,
                   T *gradient, const Control &, bool *stopped);
    Outcome (*forward)(const Network &, const T *parameters, const T *X, long m, T *out,
                       const Control &);
    // One activation over an array, for tests: A becomes σ, D becomes σ′.
    void (*activation)(int kind, T *A, T *D, long n, T parameter);
};

struct InstructionSet {
    const char *name;
    const Kernels<float> *f32;
    const Kernels<double> *f64;
    const Kernels<float> *mixed; // bfloat16 products; nullptr: this set has none
};

} // namespace chainrule
