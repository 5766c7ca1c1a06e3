// What a kernel is handed: plain numbers and pointers, the same for every instruction set.
#pragma once

#include <cstdint>

namespace chainrule {

constexpr int most_settings = 6;

// One type of a list (types.hpp) by its place there, and its settings in the order of its names.
struct Choice {
    int kind = 0;
    double settings[most_settings] = {};
};

// A setting of a layer: one number or several.
struct Values {
    const double *numbers;
    int count;
    double operator[](int i) const { return numbers[i]; }
};

// A layer's array in the flat vector of parameters, row by row.
struct Block {
    long offset;
    long rows, columns;
    bool weights;    // penalised and decayed
    bool moves;      // by the optimizer; the others, statistics, by their layer
    double rate = 1; // what the learning rate is multiplied by

    long count() const { return rows * columns; }
};

struct Layer {
    int kind;
    int n_in, n_out;
    Choice activation;
    const Block *blocks; // in the order of the equations, one after the other in the vector
    int block_count;
    const Values *settings; // in the order of the kind's names
};

// Some of the output layer's units, or all: their activation, and their cost.
struct Head {
    int units;
    Choice activation, cost;
    double weight; // of the cost in the sum
};

struct Network {
    int count;
    const Layer *layers; // the last one's activation is that of the heads
    int heads;
    const Head *head;
    bool fused;
    long parameters; // in the flat vector
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

// What a step goes down beside the cost, and how long its gradient may be.
struct Objective {
    double l1 = 0, l2 = 0;
    bool shared = false;                    // P3: penalties over the batch's sum of weights
    double max_norm = __builtin_huge_val(); // G1
};

template <typename T> struct Update {
    Choice optimizer;
    T *slots;                     // the optimizer's vectors, one after the other
    std::int64_t t;               // updates made before the first step
    const double *learning_rates; // of each step
    const double *shares;         // c of WA1, of each step, where weights are averaged
    T *average;                   // of the parameters, WA1, or nullptr
};

// One entry a step, of before its update.
struct Records {
    double *costs, *gradient_norms;
    double *penalties = nullptr; // where somebody wants to know them
};

template <typename T> struct Training {
    long batch_size;
    Update<T> update;
    Objective objective;
    Records records;
    std::uint64_t key = 0; // of the random numbers that steps draw (dropout)
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
    long (*train)(const Network &, T *parameters, const Examples<T> &, const Training<T> &,
                  const Control &);
    // J + penalties; gradient may be nullptr. NaN and *stopped if the stop test said so.
    double (*loss)(const Network &, const T *parameters, const Examples<T> &, const Objective &,
                   T *gradient, const Control &, bool *stopped);
    Outcome (*forward)(const Network &, const T *parameters, const T *X, long m, T *out,
                       const Control &);
    // One activation over an array, for tests: A becomes σ, D becomes σ′.
    void (*activation)(const Choice &, T *A, T *D, long n);
    // Whether the first layer can read m rows of X (of those that `order` says, or 0, 1, …): those
    // of category embeddings hold codes.
    bool (*readable)(const Network &, const T *X, long m, const std::int32_t *order);
};

struct InstructionSet {
    const char *name;
    const Kernels<float> *f32;
    const Kernels<double> *f64;
    const Kernels<float> *mixed; // bfloat16 products; nullptr: this set has none
    bool (*granted)() = nullptr; // asks the system for what they need beyond the CPU
};

} // namespace chainrule
